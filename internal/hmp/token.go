package hmp

// authToken takes the token of the session. It keeps one that could be the next
// Bearer: another than was sent, of bytes that a header may hold.
func (d *decoder) authToken() error {
	d.token, d.rotated, d.unfit = "", false, false
	_, err := d.ifBegins('"', func() error {
		text, whole, err := d.text(maxTokenSource)
		d.rotated = whole && len(text) > 0 && string(text) != d.sent
		d.unfit = !whole || !visible(text)
		if d.rotated && !d.unfit {
			d.token = string(text)
		}
		return err
	})
	return err
}

// visible tells whether text is of visible ASCII characters only.
func visible(text []byte) bool {
	for _, c := range text {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}
