package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/mdlayher/vsock"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"
)

// writeTimeout is how long a client may take to read an answer.
const writeTimeout = 30 * time.Second

// Listen opens what the flags of the exporter toolkit ask for: addresses, or the
// sockets that systemd hands over. All or none are open when it returns.
func Listen(flags *toolkit.FlagConfig) ([]net.Listener, error) {
	if err := ValidateConfig(*flags.WebConfigFile, false); err != nil {
		return nil, err
	}
	if *flags.WebSystemdSocket {
		listeners, err := activation.Listeners()
		if err == nil && len(listeners) == 0 {
			err = errors.New("systemd handed over no socket: start through a .socket unit, or leave --web.systemd-socket out")
		}
		return listeners, err
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

// Serve answers on the listeners until ctx is done. Then it accepts no more and
// returns nil when the requests under way, and those of connections that are new,
// have been answered.
func Serve(ctx context.Context, listeners []net.Listener, h http.Handler, flags *toolkit.FlagConfig, logger *slog.Logger) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range listeners {
		s := newServer(ctx, l, h, logger) // one for each: the toolkit changes the one it is given
		group.Go(func() error { return s.serve(flags, logger) })
		group.Go(func() error {
			<-ctx.Done()
			return s.drain(context.WithoutCancel(ctx))
		})
	}
	return group.Wait()
}

// A server is that of one listener. Unlike [http.Server.Shutdown] alone, it ends
// only when the first request of everybody who has connected is answered: Shutdown
// drops one that is read after it was called. A kept connection that is idle is
// closed, as its client has to expect at any time.
type server struct {
	http.Server
	listener *drainListener
	newConns newConns
	draining atomic.Bool
	ended    chan struct{} // closed when nothing is accepted any more
}

// newServer returns a server whose pages are told by ctx when the end comes. A scrape
// does not mind that; a profile does.
func newServer(ctx context.Context, l net.Listener, h http.Handler, logger *slog.Logger) *server {
	s := &server{listener: newDrainListener(l, logger), ended: make(chan struct{})}
	s.Server = http.Server{
		Handler:           s.newConns.handler(h),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       writeTimeout, // for a body that comes with a wrong password
		WriteTimeout:      writeTimeout,
		HTTP2:             &http.HTTP2Config{WriteByteTimeout: writeTimeout}, // which no stream's deadline does
		BaseContext:       func(net.Listener) context.Context { return ctx },
		IdleTimeout:       5 * time.Minute, // longer than scrapes are apart
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		ConnState:         s.newConns.connState,
		ConnContext:       withConn,
	}
	return s
}

// serve answers until the listener ends. That is an error unless it was drained.
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
	_ = s.listener.Listener.Close() // it is closed already, unless serve failed
	s.SetKeepAlivesEnabled(false)
	s.newConns.wait(firstRequestTimeout)
	return s.Shutdown(ctx)
}

// URL returns an address that a browser on this machine can open for a listener.
func URL(l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return l.Addr().String()
	}
	if ip := net.ParseIP(host); ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
