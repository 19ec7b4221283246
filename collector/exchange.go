package collector

import (
	"context"
	"net/http"
	"sync/atomic"

	"hmp_exporter/config"
	"hmp_exporter/internal/hmp"
)

// An exchange is how one probe speaks to its HMP. It is the only place where a
// secret is taken out of its wrapping.
type exchange struct {
	client *hmp.Client
	header http.Header
	status *atomic.Int64 // of the last response, once there is one
}

// Session implements session.HMP.
func (e exchange) Session(ctx context.Context, token config.Secret) (hmp.Answer, config.Secret) {
	e.status.Store(0)
	answer, next := e.client.Session(ctx, hmp.Request{
		Token:      token.Reveal(),
		Header:     e.header,
		OnResponse: e.responded,
	})
	return answer, wrap(next)
}

// Login implements session.HMP.
func (e exchange) Login(ctx context.Context, key, secret config.Secret) (hmp.Answer, config.Secret) {
	e.status.Store(0)
	answer, token := e.client.Login(ctx, hmp.LoginRequest{
		Key:        key.Reveal(),
		Secret:     secret.Reveal(),
		Header:     e.header,
		OnResponse: e.responded,
	})
	return answer, wrap(token)
}

func (e exchange) responded(status int) { e.status.Store(int64(status)) }

// wrap returns no secret at all for "".
func wrap(token string) config.Secret {
	if token == "" {
		return config.Secret{}
	}
	return config.NewSecret(token)
}
