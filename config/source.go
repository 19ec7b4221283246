package config

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	loadTimeout  = time.Minute      // for a configuration with all its files
	checkTimeout = 10 * time.Second // for all secrets, or all files of a configuration
)

// DefaultFile is the configuration file if no other is named.
const DefaultFile = "hmp.yml"

// A Source is where a configuration comes from: a file with its target files, or environment
// variables.
type Source struct {
	File   string                   // "" for [DefaultFile]
	Getenv func(name string) string // nil for no environment variables
	// SyntaxOnly is for a machine without the secrets. With it, Load and Check open no file of a
	// secret, CA or key.
	SyntaxOnly bool

	mu     sync.Mutex
	inputs map[input]digest // of the last load
}

// Load loads the configuration. The error is of type [Errors] and has the problems of all
// files, except if there are variables and there is, or may be, also a file.
func (s *Source) Load() (*Config, error) {
	c, _, err := s.load()
	return c, err
}

// load is Load, and also returns the positions of the targets.
func (s *Source) load() (*Config, []position, error) {
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	l := newLoader(ctx)
	l.syntaxOnly = s.SyntaxOnly
	file := cmp.Or(s.File, DefaultFile)
	if s.Getenv == nil || !inEnvironment(s.Getenv) {
		l.loadFile(file)
	} else {
		switch _, err := files.readFile(ctx, file, maxConfigFile); {
		case s.File != "" || err == nil:
			return nil, nil, fmt.Errorf("there are two configurations, %s and HMP_ variables in the environment: take one away", file)
		case !isMissing(err):
			return nil, nil, fmt.Errorf("HMP_ variables are set, and there may be a second configuration in %s, which cannot be read: %w; start in another directory", file, err)
		}
		l.loadEnvironment(s.Getenv)
	}
	s.mu.Lock()
	s.inputs = l.inputs
	s.mu.Unlock()
	c, err := l.finish()
	return c, l.positions, err
}

// Parse makes a configuration from a text. Messages name it like a file.
func Parse(name string, text []byte) (*Config, error) {
	l := newLoader(context.Background())
	l.loadText(l.document(name), text)
	return l.finish()
}

// Changed reports whether the configuration file, a target file, a CA file or a client
// certificate has other content than for the last Load, or a pattern matches other files.
// After a failed load, the exporter loads again only after a change. Secret files do not count,
// because each probe reads them. A file that could not be read in time counts as unchanged.
func (s *Source) Changed(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	s.mu.Lock()
	inputs := s.inputs // Load replaces the map and does not change it
	s.mu.Unlock()
	errChanged := errors.New("changed")
	// The inputs are read at once, so that a file that hangs does not hide a change of another.
	group, ctx := errgroup.WithContext(ctx)
	for i, before := range inputs {
		group.Go(func() error {
			data, err := i.read(ctx)
			if !errors.Is(err, errSlowFile) && newDigest(data, err) != before {
				return errChanged // and end the other reads
			}
			return nil
		})
	}
	return group.Wait() != nil
}

// An input is a file, or a pattern of files.
type input struct {
	path  string
	limit int64 // see readFile; 0 for a pattern
}

// read returns the content of a file, or the matches of a pattern, separated by zeros.
func (i input) read(ctx context.Context) ([]byte, error) {
	if i.limit > 0 {
		return files.readFile(ctx, i.path, i.limit)
	}
	found, err := files.findFiles(ctx, i.path)
	return []byte(strings.Join(found, "\x00")), err
}

// A digest is the hash of what was read, or of the error.
type digest [sha256.Size]byte

func newDigest(data []byte, err error) digest {
	if err != nil {
		data = []byte("error: " + err.Error())
	}
	return sha256.Sum256(data)
}
