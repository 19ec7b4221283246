package collector

import (
	"context"
	"net/http"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// An exchange is how one probe speaks to its HMP. Here secrets are taken out of
// their wrapping, to be sent.
type exchange struct {
	client *hmp.Client
	header http.Header
	flight *flight // is told how far it has come
}

// Session implements session.HMP.
func (e exchange) Session(ctx context.Context, token secret.Value) (hmp.Answer, secret.Value) {
	e.flight.sent.Store(true)
	answer, next := e.client.Session(ctx, hmp.Request{
		Token:      token.Reveal(),
		Header:     e.header,
		OnResponse: e.responded,
	})
	return answer, wrap(next)
}

// Login implements session.HMP.
func (e exchange) Login(ctx context.Context, key, secret secret.Value) (hmp.Answer, secret.Value) {
	e.flight.sent.Store(true)
	answer, token := e.client.Login(ctx, hmp.LoginRequest{
		Key:        key.Reveal(),
		Secret:     secret.Reveal(),
		Header:     e.header,
		OnResponse: e.responded,
	})
	return answer, wrap(token)
}

func (e exchange) responded(status int) { e.flight.status.Store(int64(status)) }

// wrap returns no secret at all for "".
func wrap(token string) secret.Value {
	if token == "" {
		return secret.Value{}
	}
	return secret.New(token)
}
