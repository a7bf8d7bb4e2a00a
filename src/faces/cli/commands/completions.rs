//! `completions`: a script that completes commands, options and names in a shell.
//!
//! The scripts for bash, zsh and fish ask the hidden command `__complete`, so that all of them offer the same, and the
//! names of sources, tags, verifiers and notifiers too. Other shells get a list that never changes.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::faces::cli::args::{Cli, CompletionsArgs};
use crate::faces::cli::exit::conclude;
use crate::faces::cli::{Console, ExitStatus};

const BASH: &str = r#"# bash completion for gannet
_gannet() {
    local line=${COMP_LINE:0:COMP_POINT} words=() cur value rest prefix=
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    cur=${words[${#words[@]}-1]}
    COMPREPLY=()
    # Readline replaces only what stands behind the last of its word breaks.
    if [[ $cur == *[:=]* && $COMP_WORDBREAKS == *:* ]]; then
        prefix=${cur%"${cur##*[:=]}"}
    fi
    while IFS=$'\t' read -r value rest; do
        case $value in
        :files) compopt -o default; COMPREPLY=(); return ;;
        :dirs) compopt -o dirnames; COMPREPLY=(); return ;;
        esac
        COMPREPLY+=("$(printf %q "${value#"$prefix"}")")
    done < <("${words[0]}" __complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _gannet gannet
"#;

const ZSH: &str = r#"#compdef gannet
_gannet() {
    local line value
    local -a lines values shown
    lines=("${(@f)$("${words[1]}" __complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    for line in "${(@)lines}"; do
        value=${line%%$'\t'*}
        case $value in
        :files) _files; return ;;
        :dirs) _files -/; return ;;
        '') continue ;;
        esac
        values+=("$value")
        shown+=("${line/$'\t'/  -- }")
    done
    (( $#values )) && compadd -l -d shown -a values
}
if [[ $funcstack[1] == _gannet ]]; then
    _gannet "$@"
elif (( $+functions[compdef] )); then
    compdef _gannet gannet
fi
"#;

const FISH: &str = r#"# fish completion for gannet
function __gannet_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l lines ($program __complete -- $words "$current" 2>/dev/null)
    if contains -- :files $lines
        __fish_complete_path "$current"
    else if contains -- :dirs $lines
        __fish_complete_directories "$current"
    else if set -q lines[1]
        printf '%s\n' $lines
    end
end
complete -c gannet -f -a '(__gannet_complete)'
"#;

/// Prints the script. Needs neither configuration nor catalogue.
pub fn print_completions(args: &CompletionsArgs, console: &mut Console<'_>) -> ExitStatus {
    let script = match args.shell {
        Shell::Bash => BASH.as_bytes().to_vec(),
        Shell::Zsh => ZSH.as_bytes().to_vec(),
        Shell::Fish => FISH.as_bytes().to_vec(),
        shell => {
            // Into memory first: the generator panics when its writer fails.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "gannet", &mut script);
            script
        }
    };
    let written = console.out.write_all(&script);
    conclude(
        written.map(|()| ExitStatus::Done).map_err(Into::into),
        console,
    )
}
