package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/mdlayher/vsock"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

// writeTimeout is how long a client may take to read an answer.
const writeTimeout = 30 * time.Second

// Listen opens the addresses of the exporter toolkit's flags, or the sockets from systemd. If one
// fails, it closes all.
func Listen(flags *toolkit.FlagConfig) ([]net.Listener, error) {
	if err := ValidateConfig(*flags.WebConfigFile, false); err != nil {
		return nil, err
	}
	if *flags.WebSystemdSocket {
		return systemdListeners(activation.Listeners())
	}
	var listeners []net.Listener
	for _, address := range *flags.WebListenAddresses {
		l, err := listen(address)
		if err != nil {
			for _, open := range listeners {
				_ = open.Close()
			}
			return nil, fmt.Errorf("failed to listen on %q: %w; choose another with --web.listen-address", address, err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// systemdListeners leaves out the sockets that accept no connections, such as those of
// ListenDatagram=. The activation package returns nil for them.
func systemdListeners(sockets []net.Listener, err error) ([]net.Listener, error) {
	listeners := slices.DeleteFunc(sockets, func(l net.Listener) bool { return l == nil })
	if err == nil && len(listeners) == 0 {
		err = errors.New("systemd handed over no socket that accepts connections: start through a .socket unit with ListenStream=, or leave --web.systemd-socket out")
	}
	return listeners, err
}

func listen(address string) (net.Listener, error) {
	if !strings.HasPrefix(address, "vsock://") {
		return new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(u.Port(), 10, 32)
	if err != nil {
		return nil, err
	}
	return vsock.Listen(uint32(port), nil)
}

// Serve answers requests until ctx is done. Then it accepts no more, and returns nil when all
// requests under way and the first request of each new connection have been answered. The logger
// is a slog.Logger, because the exporter toolkit needs one.
func Serve(ctx context.Context, listeners []net.Listener, h http.Handler, flags *toolkit.FlagConfig, logger *slog.Logger) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range listeners {
		s := newServer(ctx, l, h, logger) // one for each listener, because the toolkit changes it
		group.Go(func() error { return s.serve(flags, logger) })
		group.Go(func() error {
			<-ctx.Done()
			return s.drain(context.WithoutCancel(ctx))
		})
	}
	return group.Wait()
}

// A server serves one listener. After [http.Server.Shutdown], net/http ignores the requests that
// it reads. So a server waits for the first request of each new connection before it shuts down.
// It closes idle connections that have had a request. Clients must expect that.
type server struct {
	http.Server
	listener *drainListener
	newConns newConns
	draining atomic.Bool
	ended    chan struct{} // closed when the server accepts no more
}

// newServer returns a server. ctx tells profiles, but not scrapes, that the end has come.
func newServer(ctx context.Context, l net.Listener, h http.Handler, logger *slog.Logger) *server {
	s := &server{
		listener: &drainListener{Listener: l, logger: logger, warn: rate.Sometimes{Interval: time.Minute}},
		ended:    make(chan struct{}),
	}
	s.Server = http.Server{
		Handler:           s.newConns.handler(h),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       writeTimeout, // the toolkit answers a wrong password before secure can bound the body
		WriteTimeout:      writeTimeout,
		HTTP2:             &http.HTTP2Config{WriteByteTimeout: writeTimeout}, // no deadline of a stream bounds writes
		BaseContext:       func(net.Listener) context.Context { return ctx },
		IdleTimeout:       5 * time.Minute, // longer than the interval of scrapes
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		ConnState:         s.newConns.connState,
		ConnContext:       withConn,
	}
	return s
}

// serve answers requests until the listener ends. That is an error unless the server drains.
func (s *server) serve(flags *toolkit.FlagConfig, logger *slog.Logger) error {
	defer close(s.ended)
	err := toolkit.Serve(s.listener, &s.Server, flags, logger)
	if s.draining.Load() {
		return nil
	}
	return err
}

// drain accepts no more and returns when every request has been answered.
func (s *server) drain(ctx context.Context) error {
	s.draining.Store(true)
	_ = s.listener.Close()
	<-s.ended
	_ = s.listener.Listener.Close() // serve may have failed before it closed the listener
	s.SetKeepAlivesEnabled(false)
	s.newConns.wait(firstRequestTimeout)
	return s.Shutdown(ctx)
}

// URL returns the address of a listener with these flags for a browser on this machine.
func URL(l net.Listener, flags *toolkit.FlagConfig) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return l.Addr().String()
	}
	if ip := net.ParseIP(host); ip.IsUnspecified() {
		host = "localhost"
	}
	scheme, err := scheme(*flags.WebConfigFile)
	if err != nil {
		scheme = "http" // Serve returns the error
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
