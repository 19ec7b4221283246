package session

// A rotation learns whether the tokens that come with answers are ones to use.
// That they are is a guess at first, which HMP confirms or refutes:
//
//   - While none has been rejected, they are used.
//   - One that is rejected before any was accepted refutes the guess, as on an HMP
//     that shows a token without meaning it. From then on they are passed up.
//   - A token that is rejected after its successor was passed up refutes that
//     again, as on an HMP that ends a token with the next one.
type rotation struct {
	trusted  bool // one was accepted, and none rejected since
	passing  bool // they are not used
	passedUp bool // that of the current token was not
}

// begin is for a token that comes from a login.
func (r *rotation) begin() { r.passedUp = false }

// accepted learns from a token that HMP accepted.
func (r *rotation) accepted(t *token) { r.trusted = r.trusted || t.adopted }

// offered tells whether to use the token that came with an answer.
func (r *rotation) offered() bool {
	r.passedUp = r.passing
	return !r.passing
}

// rejected learns from a token that HMP did not accept.
func (r *rotation) rejected(t *token) {
	switch {
	case t.adopted:
		r.passing, r.trusted = !r.trusted, false
	case r.passedUp:
		r.passing = false
	}
}
