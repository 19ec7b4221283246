package config

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
)

// Rule: a configuration has changed if a file that its load read has other content, or if
// a pattern matches other files. So a configuration that is broken is loaded once, and not
// again until somebody changes it.

// compareTimeout bounds a comparison, also if a disk hangs.
const compareTimeout = checkTimeout

// A Source is where [Read] reads a configuration. It notes what each load reads.
type Source struct {
	File   string // "" for [DefaultFile]
	Getenv func(string) string
	// SyntaxOnly is for a check where there are no secrets: Load opens no file of a secret,
	// CA or key.
	SyntaxOnly bool

	mu        sync.Mutex
	inputs    *inputs // of the last load
	comparing bool    // a comparison is under way, or hangs
}

// Load is [Read].
func (s *Source) Load() (*Config, error) {
	in := &inputs{digests: make(map[input]digest), syntaxOnly: s.SyntaxOnly}
	c, err := read(context.WithValue(context.Background(), inputsKey{}, in), s.File, s.Getenv)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inputs = in
	return c, err
}

// Changed reports whether another load would read something else than the last one did:
// the configuration file, the target files, the CA files and client certificates. Secret
// files do not count, because each probe reads them. It reports false for what a disk that
// hangs does not tell in time.
func (s *Source) Changed(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, compareTimeout)
	defer cancel()
	changed := make(chan bool, 1)
	s.mu.Lock()
	in := s.inputs
	if in == nil || s.comparing {
		s.mu.Unlock()
		return false
	}
	s.comparing = true
	s.mu.Unlock()
	go func() {
		changed <- in.changed(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.comparing = false
	}()
	select {
	case c := <-changed:
		return c
	case <-ctx.Done():
		return false
	}
}

// inputs are what a load has read.
type inputs struct {
	syntaxOnly bool

	mu      sync.Mutex
	digests map[input]digest
}

// An input is a file that was read, or a pattern that was looked for.
type input struct {
	path  string
	limit int64 // of what is read, or aPattern
}

const patternInput = -1

// A sum is that of what was read or found, or of the error.
type digest [sha256.Size]byte

type inputsKey struct{}

func newDigest(data []byte, err error) digest {
	if err != nil {
		data = []byte("error: " + err.Error())
	}
	return sha256.Sum256(data)
}

// note notes a reading for the load that ctx belongs to, if there is one.
func recordInput(ctx context.Context, i input, data []byte, err error) {
	if in, ok := ctx.Value(inputsKey{}).(*inputs); ok {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.digests[i] = newDigest(data, err)
	}
}

// changed compares what was read with what there is now. Files and patterns are looked at
// side by side, so that one which hangs hides no change of another.
func (in *inputs) changed(ctx context.Context) bool {
	results := make(chan bool, len(in.digests))
	reader := files // of now: some of what begins here can end later than this does
	for i, before := range in.digests {
		go func() {
			data, err := i.read(ctx, reader)
			results <- !errors.Is(err, ErrSlowFile) && newDigest(data, err) != before
		}()
	}
	for range cap(results) {
		if <-results {
			return true
		}
	}
	return false
}

func (i input) read(ctx context.Context, f *fileReader) ([]byte, error) {
	if i.limit != patternInput {
		return f.readShared(ctx, i.path, i.limit)
	}
	found, err := f.glob(ctx, i.path)
	return []byte(strings.Join(found, "\n")), err
}
