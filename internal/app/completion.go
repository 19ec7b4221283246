package app

import (
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"hmp_exporter/config"
)

// bashCompletion has no word of the command line evaluated, and knows that bash breaks
// words at "=".
const bashCompletion = `# Completion of {{.App.Name}} for bash: source it, or put it into
# /usr/share/bash-completion/completions/{{.App.Name}}.
_{{.App.Name}}() {
    local words=() word line i
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == "=" || $i -gt 1 && ${COMP_WORDS[i-1]} == "=" && ${words[-1]} == --*= ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
    done
    # What is after the "=" of a flag is completed alone, like the word after a flag.
    if [[ ${words[-1]} == --*=* ]]; then
        word=${words[-1]}
        words[-1]=${word%%=*}
        words+=("${word#*=}")
    fi
    COMPREPLY=()
    while IFS= read -r line || [[ $line ]]; do
        [[ $line == "${words[-1]}"* ]] && COMPREPLY+=("$line")
    done < <("$1" --completion-bash "${words[@]}" 2>/dev/null)
}
complete -o default -F _{{.App.Name}} {{.App.Name}}
`

// zshCompletion works both when it is sourced and in a directory of fpath.
const zshCompletion = `#compdef {{.App.Name}}
# Completion of {{.App.Name}} for zsh: source it, or put it into a directory of $fpath as
# _{{.App.Name}}.
_{{.App.Name}}() {
    local -a given matches
    given=("${(@)words[2,$CURRENT]}")
    # What is after the "=" of a flag is completed alone, like the word after a flag.
    if [[ ${given[-1]} == --*=* ]]; then
        given=("${(@)given[1,-2]}" "${given[-1]%%=*}" "${given[-1]#*=}")
        compset -P '*='
    fi
    matches=(${(f)"$("${words[1]}" --completion-bash "${given[@]}" 2>/dev/null)"})
    compadd -a matches
    if [[ $compstate[nmatches] -eq 0 && ${given[-1]} != -* ]]; then
        _files
    fi
}

if [[ $funcstack[1] == _{{.App.Name}} ]]; then
    _{{.App.Name}} "$@"
else
    compdef _{{.App.Name}} {{.App.Name}}
fi
`

// files are the flags whose value the shell can complete itself.
var files = []string{"--config.file", "--web.config.file"}

// complete completes what kingpin does not: the name of a command, which it takes for an
// argument of the default one once it has been begun, and the name of a file, for which it
// offers what can come after that. The shell leaves out what does not go with the word.
func complete(app *kingpin.Application, args []string) (names []string, ok bool) {
	if len(args) == 0 || args[0] != "--completion-bash" {
		return nil, false
	}
	if len(args) == 1 {
		return commandNames(app), true
	}
	before, word := args[1:len(args)-1], args[len(args)-1]
	last := ""
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	name, isFlag := strings.CutPrefix(last, "--")
	switch f := app.GetFlag(name); {
	case slices.Contains(files, last):
		return nil, true
	case strings.HasPrefix(word, "-"), isFlag && f != nil && !f.Model().IsBoolFlag(),
		slices.ContainsFunc(before, func(a string) bool { return app.GetCommand(a) != nil }):
		return nil, false
	default:
		return commandNames(app), true
	}
}

// commandNames are those of all commands that people use.
func commandNames(app *kingpin.Application) []string {
	names := []string{"help"} // which kingpin adds later
	for _, c := range app.Model().Commands {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	return names
}

// targets are those that can be probed. With a configuration that cannot be loaded there
// are none: whoever completes a word has no use for its errors.
func (l *Line) targets() (names []string) {
	for _, t := range l.configured() {
		names = append(names, t.Name)
	}
	return names
}

// sessions are those of the target that has been typed.
func (l *Line) sessions() (names []string) {
	for _, t := range l.configured() {
		if t.Name != l.Probe.Target {
			continue
		}
		for _, s := range t.Sessions {
			names = append(names, s.Name)
		}
	}
	return names
}

func (l *Line) configured() []*config.Target {
	c, err := (&config.Source{File: l.ConfigFile, Getenv: os.Getenv}).Load()
	if err != nil {
		return nil
	}
	return c.Targets
}
