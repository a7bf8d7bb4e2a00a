//! Consent to destructive commands: asked for on a terminal, given by `--yes` elsewhere.

use super::Console;
use crate::app::Error;

/// Fails unless the operator agrees. `what` is an infinitive: `purge 7 sources with 14 versions`.
pub(crate) fn consent(what: &str, yes: bool, console: &mut Console<'_>) -> Result<(), Error> {
    if yes {
        return Ok(());
    }
    let question = format!("{}{}?", what[..1].to_uppercase(), &what[1..]);
    match console.ask(&question) {
        Some(true) => Ok(()),
        Some(false) => Err(Error::invalid("nothing was changed")),
        None => Err(Error::invalid(format!("this would {what}")).hint("--yes confirms it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(yes: bool, answer: Option<&'static str>) -> (Result<(), String>, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut console = Console::plain(&mut out, &mut err);
        console.answers = answer.map(|text| Box::new(text.as_bytes()) as _);
        let result = consent("purge 2 sources", yes, &mut console);
        drop(console);
        let err = String::from_utf8(err).expect("UTF-8");
        (result.map_err(|error| error.message), err)
    }

    #[test]
    fn only_yes_is_a_yes() {
        let question = "Purge 2 sources? [y/N] ".to_owned();
        for answer in ["y\n", "YES\n", " y \n"] {
            assert_eq!(asked(false, Some(answer)), (Ok(()), question.clone()));
        }
        let refused = Err("nothing was changed".to_owned());
        for answer in ["\n", "n\n", "", "yo\n", "yes please\n"] {
            assert_eq!(
                asked(false, Some(answer)),
                (refused.clone(), question.clone()),
                "{answer:?}"
            );
        }
        let unasked = Err("this would purge 2 sources".to_owned());
        assert_eq!(asked(false, None), (unasked, String::new()));
        assert_eq!(asked(true, None), (Ok(()), String::new()));
        assert_eq!(asked(true, Some("n\n")), (Ok(()), String::new()));
    }
}
