package hmp

// A Result is the result of a probe. It is the value of the label "result", so users depend
// on the names.
type Result string

// The closed set of results. With the last two, the exporter sent nothing.
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
	{Unauthorized, "HMP does not accept the token: expired, revoked or wrong", "Replace the token; HMP tokens expire after 30 minutes. With an API key: find out who else uses the key."},
	{InternalError, "HMP met an internal error", "Look into calypso.log on the HMP and contact Haivision support."},
	{AuthUnavailable, "HMP cannot reach its authentication server", "Check HMP's connection to its directory; the token may be fine."},
	{EndpointMissing, "there is no session endpoint at this URL", "Check the base URL, and that the HMP is version 4.1.1 or later."},
	{Redirect, "the answer is a redirect, which the exporter does not follow", "Configure the URL that the HMP itself answers at."},
	{HTTPError, "the answer has an unexpected HTTP status", "Look at hmp_session_http_status_code; without an error code, a proxy in between may have answered."},
	{BadPayload, "the status is 200, but the body is not a session", "Check that the URL is an HMP's, and max_body_size if the session is very large."},
	{Timeout, "the probe's time ran out", "Compare the phases to see where the time went; raise the timeout only if the HMP is merely slow."},
	{DNS, "the host name does not resolve", "Check the host in the URL and the exporter's name servers."},
	{Connect, "no connection could be made", "Check that the HMP runs, its port, and firewalls or the proxy in between."},
	{TLS, "the TLS handshake or the certificate failed", "The reason says what failed. If the HMP's certificate is new, give it as tls_config.ca_file."},
	{Protocol, "the connection broke, or the answer was not HTTP", "Check what listens on that port, and whether HMP or a proxy restarts."},
	{LoginRejected, "HMP refused the API key and secret", "Compare both with what HMP gave out, see whether the key is disabled there, and check the URL; a new key ends the old one for all who use it."},
	{Credentials, "a secret file is missing, unreadable or malformed; nothing was sent", "The reason names the file; see who should write it."},
	{Saturated, "the exporter could not start the probe; nothing was sent", "Raise --probe.max-concurrent, or spread sessions over more scrapes; the reason says if it lacks something else, such as open files."},
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

// Sent reports whether a probe with this result sent anything to the HMP. For "" it is not
// known, and Sent returns false.
func (r Result) Sent() bool { return r != "" && r != Credentials && r != Saturated }
