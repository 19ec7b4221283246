package app

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/rogpeppe/go-internal/testscript"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

// TestScripts runs the scripts in testdata/script. Each has a simulated HMP. Beside the
// commands that all test scripts have:
//
//   - hmp FILE: replaces $HMP in a file by the URL of the HMP;
//   - exits CODE COMMAND: fails unless the command ends with this exit code;
//   - logins N: fails unless the HMP has received this number of logins;
//   - conforms FILE SCHEMA: fails unless a file is JSON that conforms to a schema.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: simulate,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"hmp": hmpCommand, "exits": exitsCommand, "logins": loginsCommand, "conforms": conformsCommand,
		},
	})
}

// A simulated is the HMP of a script.
type simulated struct {
	*hmpsim.Server
	url string
}

// simulate starts an HMP with a token for each way to answer, and a key.
func simulate(env *testscript.Env) error {
	user := hmpsim.ExampleSession()
	user.SessionID, user.Username, user.DisplayName = canary.Word+"-id", canary.Word+"-user", canary.Word+" the User"
	hostile := user
	hostile.ServiceMessages = []string{"\x1b[2J\x1b]0;owned\x07all\u202e is\nwell", "\xff\u009b31m"}
	hmp := hmpsim.New()
	for name, behaviour := range map[string]hmpsim.Behaviour{
		"valid":     hmpsim.Valid(user),
		"hostile":   hmpsim.Valid(hostile),
		"no_roles":  hmpsim.NoRoles(),
		"directory": hmpsim.AuthUnavailable(),
		"hung":      hmpsim.Hang(),
		"terminal":  hmpsim.Error(418, "\x1b[31m", "\x1b[2J", canary.Word+"\x1b[2J"),
	} {
		hmp.SetToken(canary.Word+"-"+name, behaviour)
	}
	hmp.AddKey(canary.Word+"-key", canary.Word+"-secret", hmpsim.Valid(user))
	hmp.SetVersion(hmpsim.Delay(50*time.Millisecond, hmpsim.Version("4.1.1", "30242"))) // later than the session
	l, err := hmp.Start(hmpsim.ListenConfig{})
	if err != nil {
		return err
	}
	schema, err := filepath.Abs("../../docs/probe.schema.json")
	if err != nil {
		return err
	}
	env.Setenv("SCHEMA", schema)
	env.Defer(l.Close)
	env.Values["hmp"] = simulated{hmp, l.URL}
	return nil
}

func hmpCommand(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args {
		text := strings.ReplaceAll(ts.ReadFile(file), "$HMP", ts.Value("hmp").(simulated).url)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
		ts.Check(os.Chmod(ts.MkAbs(file), 0o600))
	}
}

func exitsCommand(ts *testscript.TestScript, _ bool, args []string) {
	code := "0"
	err := ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = strconv.Itoa(exit.ExitCode())
	} else {
		ts.Check(err)
	}
	if code != args[0] {
		ts.Fatalf("the exit code is %s", code)
	}
}

func loginsCommand(ts *testscript.TestScript, _ bool, args []string) {
	if got := strconv.Itoa(ts.Value("hmp").(simulated).Stats().Logins); got != args[0] {
		ts.Fatalf("there were %s logins", got)
	}
}

func conformsCommand(ts *testscript.TestScript, _ bool, args []string) {
	schema, err := os.ReadFile(args[1])
	ts.Check(err)
	var s jsonschema.Schema
	ts.Check(json.Unmarshal(schema, &s))
	resolved, err := s.Resolve(nil)
	ts.Check(err)
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &value))
	ts.Check(resolved.Validate(value))
}
