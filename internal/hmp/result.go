package hmp

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
	{Unauthorized, "HMP does not accept the token: expired, revoked or wrong", "If the session has a fixed token, replace the token: HMP ends tokens after 30 minutes. If it has an API key, find out who else uses the key."},
	{InternalError, "HMP has an internal error", "Read calypso.log on the HMP, and contact Haivision support."},
	{AuthUnavailable, "HMP cannot reach its authentication server", "Check the connection of the HMP to its authentication server, such as LDAP. The token may be good."},
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
	{Saturated, "the exporter lacked something for the probe: a free slot, time, files, ports or memory", "Do what the reason says. If there is no reason, raise --probe.max-concurrent, or use a scrape for each HMP."},
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
