package config

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
)

// Rule: a configuration has changed if a file that Load has read has other content, or if a
// pattern matches other files. So a broken configuration is loaded once, and not again until
// somebody changes it.

// compareTimeout bounds a comparison, even if a disk hangs.
const compareTimeout = checkTimeout

// A Source loads a configuration like [Read], and records what it has read.
type Source struct {
	File   string // "" for [DefaultFile]
	Getenv func(string) string
	// SyntaxOnly is for a check on a machine without the secrets: Load opens no file of a
	// secret, CA or key.
	SyntaxOnly bool
	// ForCheck keeps what [Config.Warnings] and [Config.CheckSecrets] need: 0.5 kB for each
	// secret.
	ForCheck bool

	mu        sync.Mutex
	inputs    *inputs // of the last load
	comparing bool    // a comparison is under way, or hangs
}

// Load loads the configuration, see [Read].
func (s *Source) Load() (*Config, error) {
	in := &inputs{digests: make(map[input]digest), syntaxOnly: s.SyntaxOnly}
	c, err := read(context.WithValue(context.Background(), inputsKey{}, in), s.File, s.Getenv)
	if c != nil && !s.ForCheck {
		c.warnings, c.secretFiles = nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inputs = in
	return c, err
}

// Changed reports whether the configuration file, a target file, a CA file or a client
// certificate has changed since the last Load. Secret files do not count, because each probe
// reads them. A file on a disk that hangs counts as not changed.
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

// inputs are the files and patterns that a load has read.
type inputs struct {
	syntaxOnly bool

	mu      sync.Mutex
	digests map[input]digest
}

// An input is a file, or a pattern.
type input struct {
	path  string
	limit int64 // see readFile; or patternInput
}

const patternInput = -1

// A digest is the hash of the content of a file, the matches of a pattern, or the error.
type digest [sha256.Size]byte

type inputsKey struct{}

func newDigest(data []byte, err error) digest {
	if err != nil {
		data = []byte("error: " + err.Error())
	}
	return sha256.Sum256(data)
}

// recordInput records what was read for the load that ctx belongs to, if any.
func recordInput(ctx context.Context, i input, data []byte, err error) {
	if in, ok := ctx.Value(inputsKey{}).(*inputs); ok {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.digests[i] = newDigest(data, err)
	}
}

// changed compares the inputs with the files of now. It reads all at once, so that a file
// that hangs does not hide a change of another.
func (in *inputs) changed(ctx context.Context) bool {
	results := make(chan bool, len(in.digests))
	reader := files // a copy, because some goroutines can outlive this call
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
