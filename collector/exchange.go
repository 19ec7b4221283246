package collector

import (
	"context"
	"net/http"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// An exchange is how one probe speaks to its HMP.
type exchange struct {
	client *hmp.Client
	header http.Header
	flight *flight // is told how far it has come
}

// Session implements session.HMP.
func (e exchange) Session(ctx context.Context, token secret.Value) (hmp.Answer, secret.Value) {
	e.flight.sent.Store(true)
	return e.client.Session(ctx, hmp.Request{Token: token, Header: e.header, OnResponse: e.responded})
}

// Login implements session.HMP.
func (e exchange) Login(ctx context.Context, key, secret secret.Value) (hmp.Answer, secret.Value) {
	e.flight.sent.Store(true)
	return e.client.Login(ctx, hmp.LoginRequest{Key: key, Secret: secret, Header: e.header, OnResponse: e.responded})
}

func (e exchange) responded(status int) { e.flight.status.Store(int64(status)) }
