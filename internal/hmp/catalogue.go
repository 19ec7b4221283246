package hmp

import (
	"slices"
	"strings"
)

// A Result is the result of a probe. It is the value of the label "result", so users depend
// on the names.
type Result string

// The closed set of results. The last two are failures of the exporter, not of the HMP.
const (
	Valid           Result = "valid"
	NoRoles         Result = "no_roles"
	Unauthorized    Result = "unauthorized"
	InternalError   Result = "internal_error"
	AuthUnavailable Result = "auth_unavailable"
	EndpointMissing Result = "endpoint_missing"
	Redirect        Result = "redirect"
	HTTPError       Result = "http_error"
	BadPayload      Result = "bad_payload"
	Timeout         Result = "timeout"
	DNS             Result = "dns"
	Connect         Result = "connect"
	TLS             Result = "tls"
	Protocol        Result = "protocol"
	LoginRejected   Result = "login_rejected"
	Credentials     Result = "credentials"
	Saturated       Result = "saturated"
)

// ResultInfo explains a result to an operator.
type ResultInfo struct {
	Result  Result
	Meaning string // what happened, as a clause
	Advice  string // what to do next, as a sentence
}

// Results lists every result once, in the order in which users see them: answers of HMP,
// then failures of the network, then failures of the exporter.
var Results = []ResultInfo{
	{Valid, "HMP confirmed the session", "Nothing to do."},
	{NoRoles, "HMP knows the user, but the user has no role", "Assign a role to the user in HMP."},
	{Unauthorized, "HMP does not accept the token: expired, revoked or wrong", "Replace the token: HMP tokens expire after 30 minutes. With an API key, find out who else uses the key."},
	{InternalError, "HMP has an internal error", "Read calypso.log on the HMP, and contact Haivision support."},
	{AuthUnavailable, "HMP cannot reach its authentication server", "Check the connection of the HMP to its directory. The token may be good."},
	{EndpointMissing, "there is no session endpoint at this URL", "Check the base URL, and that the HMP is version 4.1.1 or later."},
	{Redirect, "the answer is a redirect, which the exporter does not follow", "Write the URL of the HMP itself into the configuration."},
	{HTTPError, "the answer has an unexpected HTTP status", "Look at the HTTP status. If there is no error code, a proxy may have answered in place of the HMP."},
	{BadPayload, "the status is 200, but the body is not a session", "Check that the URL is that of an HMP. If the session is very large, raise max_body_size."},
	{Timeout, "the probe's time ran out", "The phases show where the time went. Raise the timeout only if the HMP is slow but works."},
	{DNS, "the host name does not resolve", "Check the host in the URL, and the name servers of the exporter's machine."},
	{Connect, "no connection could be made", "Check that the HMP runs. Check the port, firewalls and the proxy."},
	{TLS, "the TLS handshake or the certificate failed", "Do what the reason says. If it says nothing to do, check the certificate and the TLS versions of the HMP."},
	{Protocol, "the connection broke, or the answer was not HTTP", "If the HMP uses TLS, write https:// in the URL. Check what listens on the port, and whether HMP or a proxy restarts."},
	{LoginRejected, "HMP refused the API key and secret", "Compare them with the key and secret in HMP, check that the key is enabled there, and check the URL. A new key ends the old one for all who use it."},
	{Credentials, "a secret file is missing, unreadable or malformed; nothing was sent", "The reason names the file. Find out who must write it."},
	{Saturated, "the exporter lacked something for the probe: a free slot, time, files, ports or memory", "Raise --probe.max-concurrent, or split the sessions between more scrapes. The reason says if the exporter lacks something else, such as open files."},
}

// Info returns the explanation of r. It is zero for a name outside the set.
func (r Result) Info() ResultInfo {
	for _, i := range Results {
		if i.Result == r {
			return i
		}
	}
	return ResultInfo{}
}

// Sent reports whether a probe with this result sent a request to the HMP. With Saturated, it
// sent a part of one at most, and Sent returns false. For "" it is not known, and Sent
// returns false.
func (r Result) Sent() bool { return r != "" && r != Credentials && r != Saturated }

// A Code is an HMP error code: six digits in a string. It is not a number, because the
// leading zeros count (and YAML reads 020001 as 8193).
type Code string

// OtherCode stands for every code that the catalogue does not list.
const OtherCode Code = "other"

// The codes that the session endpoint is documented to answer with.
const (
	InputValidation     Code = "010001"
	UserNotAuthorized   Code = "020001"
	InvalidCredentials  Code = "020002"
	AuthSessionNotFound Code = "040022"
	InternalServer      Code = "070000"
	CreateUserSession   Code = "070051"
	ServiceUnavailable  Code = "090002"
)

// An ErrorInfo is one entry of the error catalogue.
type ErrorInfo struct {
	Code    Code
	Name    string // the vendor's
	Family  int    // the HTTP status of all codes with the same first two digits
	Meaning string
	Advice  string // what an operator does
}

// Catalogue lists the documented errors of the session endpoint. They come from the vendor
// pages "Get User Session Info using Bearer Token" and "Initiate User Session using Key and
// Secret". 040022 comes from the page about the cookie login. The last entry stands for all
// other codes.
var Catalogue = []ErrorInfo{
	{UserNotAuthorized, "UserNotAuthorized", 401, "the user has no role, or the token is not accepted: the result shows which", "Assign a role to the user, or replace the token."},
	{InternalServer, "InternalServer", 500, "HMP has an internal error", "Read calypso.log on the HMP, and contact Haivision support."},
	{ServiceUnavailable, "ServiceUnavailable", 503, "HMP cannot reach its authentication server", "Check the connection of the HMP to its directory. The token may be good: do not replace it."},
	{InputValidation, "InputValidation", 400, "the login lacks an API key or secret, or one has the wrong form", "Check the key and the secret for missing or wrong characters."},
	{InvalidCredentials, "InvalidCredentials", 401, "the API key or its secret is wrong", "Compare them with the key and secret in HMP, and check that the key is enabled there. A new key ends the old one for all who use it."},
	{AuthSessionNotFound, "AuthSessionNotFound", 404, "HMP does not know the session, or it has expired", "Replace the token."},
	{CreateUserSession, "CreateUserSession", 500, "HMP could not create a session for the user", "Read calypso.log on the HMP, and contact Haivision support."},
	{OtherCode, "Other", 0, "a code that this catalogue does not list", "Look up the code in Haivision's documentation. The log and the session's page show it."},
}

// code returns the code in an envelope: the text itself if it has six digits, [OtherCode]
// for any other text, and "" for none. So the code is safe to show.
func code(text string) Code {
	notDigit := func(r rune) bool { return r < '0' || r > '9' }
	if text == "" || len(text) == 6 && !strings.ContainsFunc(text, notDigit) {
		return Code(text)
	}
	return OtherCode
}

// Catalogued returns c if the catalogue lists it or c is "", else [OtherCode].
func (c Code) Catalogued() Code {
	if c == "" || slices.ContainsFunc(Catalogue, func(e ErrorInfo) bool { return e.Code == c }) {
		return c
	}
	return OtherCode
}

// Info returns the entry of the catalogue for c. For a code that it does not list, that is
// the entry of [OtherCode]. For "" it is zero.
func (c Code) Info() ErrorInfo {
	for _, e := range Catalogue {
		if e.Code == c.Catalogued() {
			return e
		}
	}
	return ErrorInfo{}
}

// Text returns c for people: with the vendor's name, if the code is documented.
func (c Code) Text() string {
	switch info := c.Info(); {
	case c == OtherCode:
		return "a code unlike HMP's"
	case info.Code == c && c != "":
		return string(c) + " " + info.Name
	default:
		return string(c)
	}
}
