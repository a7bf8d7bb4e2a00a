//! Codes of currencies: those of ISO 4217, past ones too, and others that providers use.

use std::fmt;
use std::str::FromStr;

use crate::domain::shortened;
use crate::domain::text_form::{prints_text, reads_text};

/// The code of a currency: three capital letters, such as `USD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

prints_text!(Currency);
reads_text!(Currency);

/// A text that is no code of a currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a currency: expected a code of three capital letters, such as USD")]
pub struct CurrencyError(String);

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");

    /// Returns the code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("capital letters are ASCII")
    }

    /// Returns whether the code is one of ISO 4217, or another that providers use, such as `BTC`.
    pub fn is_known(self) -> bool {
        let mut codes = [PRESENT, PAST, OTHERS].into_iter();
        codes.any(|codes| {
            codes
                .split_ascii_whitespace()
                .any(|code| code == self.as_str())
        })
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        match *text.as_bytes() {
            [a @ b'A'..=b'Z', b @ b'A'..=b'Z', c @ b'A'..=b'Z'] => Ok(Self([a, b, c])),
            _ => Err(CurrencyError(shortened(
                &text.escape_debug().to_string(),
                40,
            ))),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// ISO 4217, list one.
const PRESENT: &str = "
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF
CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT
MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS
VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW ZWG";

/// ISO 4217, list three: codes that are no longer in use, which histories and providers have.
const PAST: &str = "
ADP AFA ALK ANG AOK AON AOR ARA ARP ARY ATS AYM AZM BAD BEC BEF BEL BGJ BGK BGL BGN BOP BRB BRC BRE BRN BRR BUK BYB BYR
CHC CNX CSD CSJ CSK CUC CYP DDM DEM ECS ECV EEK ESA ESB ESP FIM FRF GEK GHC GHP GNE GNS GQE GRD GWE GWP HRD HRK IEP ILP
ILR ISJ ITL LAJ LSM LTL LTT LUC LUF LUL LVL LVR MAF MDC MGF MKN MLF MRO MTL MTP MVQ MWM MXP MZE MZM NGP NIC NLG PEH PEI
PES PLZ PTE RHD ROK ROL RUR SDD SDP SIT SKK SLL SRG STD SUR TJR TMM TPE TRL UAK UGS UGW USS UYN UYP VEB VEF VNC XEU XFO
XFU XRE YDD YUD YUM YUN ZAL ZMK ZRN ZRZ ZWC ZWD ZWL ZWN ZWR";

/// Codes that are in no list of ISO 4217.
const OTHERS: &str = "BTC CNH ETH FOK GGP IMP JEP KID TVD";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_three_capital_letters() {
        for (text, is_known) in [
            ("USD", true),
            ("BTC", true),
            ("XAU", true),
            ("GGP", true),
            ("CYP", true),
            ("ABC", false),
        ] {
            let currency: Currency = text.parse().expect(text);
            assert_eq!(currency.to_string(), text);
            assert_eq!(currency.is_known(), is_known, "{text}");
        }
        for text in ["", "usd", "US", "USDX", "US1", "ÜS", "U\nS"] {
            let error = text.parse::<Currency>().expect_err(text).to_string();
            assert!(error.contains("such as USD"), "{error}");
        }
    }

    #[test]
    fn no_code_is_in_two_lists() {
        let all = [PRESENT, PAST, OTHERS].map(|codes| codes.split_ascii_whitespace());
        let mut all: Vec<_> = all.into_iter().flatten().collect();
        for code in &all {
            code.parse::<Currency>().expect(code);
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
