//! The demo's configuration: its verifiers, and the certificate authority to trust.
//!
//! The configuration is text, as an operator would write it: the demo never bypasses the configuration file.

use std::path::Path;

/// The file name under which the caller writes [`CHECK_PRICES_SH`].
pub const CHECK_PRICES_FILE: &str = "check-prices.sh";

/// The demo's verifier, a POSIX shell script: every price must be a number above zero.
pub const CHECK_PRICES_SH: &str = include_str!("../../assets/demo/check-prices.sh");

const TEMPLATE: &str = include_str!("../../assets/demo/config.toml");

/// Returns the text of the demo's `config.toml`.
///
/// `ca_file` is the path where the caller wrote [`Demo::ca_pem`](super::Demo::ca_pem), `check_script` that of
/// [`CHECK_PRICES_SH`]; both absolute.
pub fn config_toml(ca_file: &Path, check_script: &Path) -> String {
    TEMPLATE
        .replace("\"@CA_FILE@\"", &toml_string(ca_file))
        .replace("\"@CHECK_PRICES@\"", &toml_string(check_script))
}

/// Quotes a path as a TOML string; it may hold any character.
fn toml_string(path: &Path) -> String {
    toml::Value::String(path.to_string_lossy().into_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_toml_with_the_paths_in_it() {
        let text = config_toml(Path::new("/tmp/a \"b\"\\c/ca.pem"), Path::new("/tmp/check"));
        let parsed: toml::Table = text.parse().expect("the template is TOML");
        assert_eq!(
            parsed["fetch"]["ca_file"].as_str(),
            Some("/tmp/a \"b\"\\c/ca.pem")
        );
        let verifiers = parsed["verifier"].as_array().expect("an array");
        let names: Vec<_> = verifiers.iter().map(|v| v["name"].as_str()).collect();
        let expected = ["not-html", "json", "prices", "picture"];
        assert_eq!(names, expected.map(Some));
        assert_eq!(verifiers[2]["command"][1].as_str(), Some("/tmp/check"));
        assert!(!text.contains('@'), "{text}");
    }
}
