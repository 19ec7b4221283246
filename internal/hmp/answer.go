package hmp

import "time"

// An Answer is the result of one call. It is a plain value and holds no secret. Texts of
// the server are only in MessageTexts and in a [RedactedHeader].
type Answer struct {
	Result Result
	// Reason explains the result if there is more to say. It is safe to log and to show.
	Reason string
	// Responded is true if a status line and headers have arrived.
	Responded bool
	// StatusCode is the HTTP status of the response, 0 if there was none.
	StatusCode int
	// Code is the error code of the envelope, "" if there was none. The catalogue may not
	// list it.
	Code Code
	// Phases has the duration of each phase.
	Phases Phases
	// CertificateExpiry is when the HMP's certificate expires, see [certificateExpiry]. It
	// is zero without TLS, and never about a proxy's certificate.
	CertificateExpiry time.Time
	// RetryAfter is the wait that the server asked for in the header Retry-After, if the
	// status is 300 or higher. It is a day at most, and 0 without a valid header.
	RetryAfter time.Duration
	// Rotated is true if the authToken of the session differs from the one sent, even if it
	// is not valid in a header. It is false for a login.
	Rotated bool
	// Details are values from the payload. They are zero unless the result is Valid.
	Details Details
	// BodySize is the number of bytes of the body that were read.
	BodySize int64
	// InvalidFields are the fields of the session whose values are not documented.
	InvalidFields []string
	// Exchanges are the requests and their responses, one for each call.
	Exchanges []Exchange
}

// Envelope reports whether the answer had HMP's error envelope: an object with a code of six
// digits. Then HMP itself answered, and no proxy.
func (a Answer) Envelope() bool { return a.Code != "" && a.Code != OtherCode }

// Details are values from a session object. All of them are "informational only and
// subject to change in future HMP releases" (vendor page). A field that is absent, null or
// not of the documented type is nil or zero.
type Details struct {
	Admin         *bool
	Roles         *int     // length of roleIds
	LoginFailures *float64 // numLoginFailures
	LastAction    time.Time
	LastLogin     time.Time // lastLoginDate
	// ServiceMessages counts the elements of serviceMessages.
	ServiceMessages *int
	// MessageTexts are the distinct texts among the first [MaxMessages] elements of
	// serviceMessages. Each is valid UTF-8 without control characters. It has at most
	// [MaxMessageLength] characters and twice as many bytes. They are nil unless the options
	// ask for them, because a message can name an account.
	MessageTexts []string
}

// An Exchange is one request of a probe and its response, without anything secret.
type Exchange struct {
	Method string
	Result Result
	// Request and Response are the headers. Response is "" if there was no response.
	Request, Response RedactedHeader
	// Proto is the HTTP version of the response, "" if there was none.
	Proto string
	// StatusCode is the HTTP status of the response, 0 if there was none.
	StatusCode int
	// Took is the duration of all phases together.
	Took time.Duration
}

// Phases has the duration of each phase of a call. A phase that did not occur is 0, such
// as a lookup for an IP address, or a connect on a reused connection. The phase in which the
// time ran out lasts until then.
type Phases struct {
	Resolve    time.Duration // DNS lookup of the HMP, or of the proxy if there is one
	Connect    time.Duration // TCP connect from the first address tried, and the CONNECT of a proxy
	TLS        time.Duration // TLS handshake with the HMP
	Processing time.Duration // from the connection to the first byte of the answer
	Transfer   time.Duration // from the first byte to the end of the body
}

// Add returns the sum of the phases of two attempts.
func (p Phases) Add(q Phases) Phases {
	return Phases{p.Resolve + q.Resolve, p.Connect + q.Connect, p.TLS + q.TLS, p.Processing + q.Processing, p.Transfer + q.Transfer}
}

// A Phase is one phase of [Phases] with its name.
type Phase struct {
	Name string
	Took time.Duration
}

// Each returns the phases in the order in which they occur.
func (p Phases) Each() [5]Phase {
	return [...]Phase{{"resolve", p.Resolve}, {"connect", p.Connect}, {"tls", p.TLS}, {"processing", p.Processing}, {"transfer", p.Transfer}}
}

// Total returns the duration of all phases together.
func (p Phases) Total() time.Duration {
	return p.Resolve + p.Connect + p.TLS + p.Processing + p.Transfer
}
