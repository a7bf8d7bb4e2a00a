//! `completions`: a script that completes commands, options and names in a shell.
//!
//! The scripts for bash, zsh and fish call the hidden command `__complete`, so that all of them offer the same
//! candidates, with the names of sources, tags, verifiers and notifiers. Scripts for other shells hold a fixed list.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::faces::cli::args::{Cli, CompletionsArgs};
use crate::faces::cli::exit::printed;
use crate::faces::cli::{Console, ExitStatus};

const BASH: &str = r#"# bash completion for gannet
_gannet() {
    local line=${COMP_LINE:0:COMP_POINT} words=() word= begun= quote=n c i value rest prefix=
    # Read here, since Readline's own words end at a `:` or `=`, and keep their quotes. In which quotes a character stands: n none,
    # s single, d double.
    for ((i = 0; i < ${#line}; i++)); do
        c=${line:i:1}
        case $quote$c in
        n[[:space:]])
            [[ $begun ]] && words+=("$word")
            word= begun=
            continue ;;
        "s'" | 'd"') quote=n ;;
        "n'") quote=s prefix=$word ;;
        'n"') quote=d prefix=$word ;;
        'n\') ((++i)); word+=${line:i:1} ;;
        'd\')
            ((++i)); c=${line:i:1}
            [[ $c == [\$\`\"\\] ]] || word+='\'
            word+=$c ;;
        *) word+=$c ;;
        esac
        begun=1
    done
    words+=("$word")
    COMPREPLY=()
    # Readline replaces only what stands behind an open quote, or behind the last of its word breaks.
    if [[ $quote == n ]]; then
        prefix=
        if [[ $word == *[:=]* && $COMP_WORDBREAKS == *:* ]]; then
            prefix=${word%"${word##*[:=]}"}
        fi
    fi
    while IFS=$'\t' read -r value rest; do
        case $value in
        :files) compopt -o default; COMPREPLY=(); return ;;
        :dirs) compopt -o dirnames; COMPREPLY=(); return ;;
        esac
        value=${value#"$prefix"}
        case $quote in
        n) printf -v value %q "$value"; value=${value//\\,/,} ;;
        s) value=${value//\'/\'\\\'\'} ;;
        d) value=${value//\$/\\\$} value=${value//\`/\\\`} ;;
        esac
        COMPREPLY+=("$value")
    done < <("${words[0]}" __complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _gannet gannet
"#;

const ZSH: &str = r#"#compdef gannet
_gannet() {
    local line value
    local -a lines values shown
    lines=("${(@f)$("${words[1]}" __complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
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
    set -l current
    set -l typed (commandline -ct)
    set -l program $words[1]
    # A quote that is still open is closed for this.
    for end in '' '"' "'"
        set current (string unescape -- "$typed$end"); and break
    end
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
            // The generator panics if its writer fails, so it writes to memory.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "gannet", &mut script);
            script
        }
    };
    let written = console.out.write_all(&script);
    printed(written, console)
}
