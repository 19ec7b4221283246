package collector

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"hmp_exporter/internal/hmpsim"
)

// simulate is the variable that makes the test program a simulated HMP, which a
// benchmark runs as another process: its CPU time is nobody's here.
const simulate = "HMP_EXPORTER_TEST_SIMULATE"

// A benchHMP is such an HMP. Its only session is called playout.
type benchHMP struct {
	HTTP, HTTPS string // base URLs
	CA          []byte // certificate of the authority, as PEM
}

// serveBenchmarks says where it serves and does until standard input ends.
func serveBenchmarks() {
	if err := serveBenchHMP(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serveBenchHMP(in io.Reader, out io.Writer) error {
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		return err
	}
	certificate, err := authority.Certificate(hmpsim.CertificateOptions{})
	if err != nil {
		return err
	}
	sim := newSim(sessions{"playout": valid()})
	at := benchHMP{CA: authority.PEM()}
	for url, certificate := range map[*string]*tls.Certificate{&at.HTTP: nil, &at.HTTPS: &certificate} {
		listening, err := sim.Start(hmpsim.ListenConfig{Certificate: certificate})
		if err != nil {
			return err
		}
		defer listening.Close()
		*url = listening.URL
	}
	if err := json.NewEncoder(out).Encode(at); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return err
}

// startBenchHMP starts the other process, which ends with the benchmark.
func startBenchHMP(b *testing.B) (at benchHMP) {
	b.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), simulate+"=1")
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		if err := command.Wait(); err != nil {
			b.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal(line, &at); err != nil {
		b.Fatal(err)
	}
	return at
}
