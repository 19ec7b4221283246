package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are what the flags say.
type options struct {
	rounds        int
	only          string
	smoke         bool
	refuse        string
	document, out string
	binaries      map[string]string
}

func run() error {
	if role := os.Getenv(roleVariable); role != "" {
		return play(role)
	}
	o, err := parseFlags()
	if err != nil {
		return err
	}
	// The kernel ends the children when the thread ends that started them: it has to be
	// the first one, which ends last.
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.measureAll(ctx); ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}

func parseFlags() (options, error) {
	o := options{binaries: make(map[string]string)}
	flag.IntVar(&o.rounds, "rounds", 7, "how often each batch of scrapes is measured")
	flag.StringVar(&o.only, "only", "", "measure one `section` and write no document: "+sectionNames())
	flag.BoolVar(&o.smoke, "smoke", false, "make a few scrapes of everything, to see that it works; write no document but to -out")
	flag.StringVar(&o.refuse, "refuse", "", "have the HMP turn a session away while this `subject` is measured, to see that it is noticed")
	flag.StringVar(&o.document, "document", "docs/performance.md", "document that has places for the tables")
	flag.StringVar(&o.out, "out", "", "where to write it (default there)")
	for name, path := range map[string]string{ours: "./hmp_exporter", blackbox: ".tools/blackbox_exporter", jsonPeer: ".tools/json_exporter"} {
		o.binaries[name] = path
		flag.Func(name, "`path` of the program (default "+path+")", func(s string) error {
			o.binaries[name] = s
			return nil
		})
	}
	flag.Parse()
	if !o.smoke {
		o.out = cmp.Or(o.out, o.document)
	}
	switch {
	case flag.NArg() > 0:
		return o, fmt.Errorf("there are only flags here, not %q", flag.Arg(0))
	case o.only != "" && !knownSection(o.only):
		return o, fmt.Errorf("there is no section %q: choose one of %s", o.only, sectionNames())
	case o.rounds < 1:
		return o, fmt.Errorf("-rounds has to be at least 1")
	}
	if o.smoke {
		o.rounds = 1
	}
	return o, nil
}

// measureAll measures what was asked for, prints it and writes the document.
func (b *bench) measureAll(ctx context.Context) error {
	var all []*table
	for _, s := range sections {
		if b.only != "" && b.only != s.name {
			continue
		}
		if err := s.run(b, ctx); err != nil {
			return err
		}
		for _, t := range s.tables(b) {
			fmt.Printf("%s\n\n%s\n", t.name, t)
			all = append(all, t)
		}
	}
	if b.only != "" {
		return nil
	}
	machine, err := b.machineTable(ctx)
	if err != nil {
		return err
	}
	promises, err := b.promiseTable()
	if err != nil {
		return err
	}
	fmt.Printf("%s\n\n%s", promises.name, promises)
	if b.out == "" {
		return nil
	}
	return writeDocument(b.document, b.out, append(all, machine, promises))
}
