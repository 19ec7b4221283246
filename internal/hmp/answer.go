package hmp

import "time"

// An Answer is all that one call told about an HMP and a session. It is a plain
// value that holds no secret. The server wrote no text in it, except service messages
// and what a [Header] shows.
type Answer struct {
	Result Result
	// Reason says more than the result where there is more to say, in words
	// that are safe to log and to show.
	Reason string
	// Responded is true once a status line and headers have arrived.
	Responded bool
	// StatusCode is that of the response, 0 if there was none.
	StatusCode int
	// Code is the error code of the envelope, "" if there was none. It may be one
	// that the catalogue does not list.
	Code Code
	// Phases is where the time went.
	Phases Phases
	// CertificateExpiry is when the HMP's certificate ends to be good: of the verified
	// chains the one that lasts longest, each by its earliest certificate. Where
	// verification failed, it is the earliest of what was presented; where it is off, the
	// leaf's. It is zero without TLS, and never about a proxy's certificate.
	CertificateExpiry time.Time
	// RetryAfter is how long the server asked to wait before the next call, by the
	// header Retry-After of an answer whose status is 300 or higher. It is a day at
	// most, and 0 if there was no such header or no sense in it.
	RetryAfter time.Duration
	// Rotated is true if the session carried another authToken than the one sent,
	// fit to be sent or not. It is false for a login.
	Rotated bool
	// Details are what the payload told; zero unless the result is Valid.
	Details Details
	// Body tells how the body was read.
	Body Body
	// Exchanges are the requests that were made, one for a call.
	Exchanges []Exchange
}

// Envelope tells whether the answer had HMP's error envelope: an object with a code of
// six digits. Then it was HMP that answered, and nothing in between.
func (a Answer) Envelope() bool { return a.Code != "" && a.Code != OtherCode }

// A Body is what reading the body of a response came to.
type Body struct {
	// Size is how many bytes were read of it.
	Size int64
	// Used, Null and Odd are the fields of the session that were there: with a value
	// that was used, with null, and with one that was not used, because it is not what
	// is documented. They are empty unless the whole body was a session.
	Used, Null, Invalid Fields
}

// Details are what is kept of a session object. All of it is "informational only
// and subject to change in future HMP releases" (vendor page); a field that is
// absent, null or of another type than documented is nil or zero.
type Details struct {
	Admin         *bool
	Roles         *int     // length of roleIds
	LoginFailures *float64 // numLoginFailures
	LastAction    time.Time
	LastLogin     time.Time // lastLoginDate
	// ServiceMessages counts the elements of serviceMessages.
	ServiceMessages *int
	// MessageTexts are the distinct texts among the first [MaxMessages] elements of
	// serviceMessages, each valid UTF-8 without control characters and of at most
	// [MaxMessageLength] characters and twice as many bytes. Nil unless the client was
	// told to keep them: a message can name an account.
	MessageTexts []string
}

// An Exchange is one request of a probe and the response to it, as far as both are
// harmless to show.
type Exchange struct {
	Method string
	Result Result
	// Request and Response are the headers; Response is "" if there was none.
	Request, Response Header
	// Proto is the version of HTTP that the response came in; "" if there was none.
	Proto string
	// StatusCode is that of the response, 0 if there was none.
	StatusCode int
	// Took is how long all phases took together.
	Took time.Duration
}
