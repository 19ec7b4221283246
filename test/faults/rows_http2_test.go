package faults

import (
	"bytes"
	"io"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

func http2Rows() []row {
	broken := failed(hmp.Protocol, 1).certificate()
	return []row{
		{name: "no fault", prepare: overHTTP2(func(f *http2.Framer, stream uint32) {
			respond(f, stream, "200", false)
			_ = f.WriteData(stream, true, []byte(session()))
		}), want: healthy().certificate()},
		{name: "a GOAWAY loop", prepare: overHTTP2(func(f *http2.Framer, _ uint32) {
			_ = f.WriteGoAway(0, http2.ErrCodeNo, nil)
		}), want: broken},
		{name: "a GOAWAY loop with ENHANCE_YOUR_CALM", prepare: overHTTP2(func(f *http2.Framer, _ uint32) {
			_ = f.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, nil)
		}), want: broken},
		{name: "a REFUSED_STREAM loop", prepare: overHTTP2(refuse), want: broken, heavy: true},
		{name: "a REFUSED_STREAM loop, keep_alive", prepare: func(s *setup) {
			s.configure("keep_alive: true")
			overHTTP2(refuse)(s)
		}, want: broken, heavy: true},
		{name: "the stream is reset", prepare: overHTTP2(func(f *http2.Framer, stream uint32) {
			_ = f.WriteRSTStream(stream, http2.ErrCodeInternal)
		}), want: broken},
		{name: "the stream is reset in the body", prepare: overHTTP2(func(f *http2.Framer, stream uint32) {
			respond(f, stream, "200", false)
			_ = f.WriteData(stream, false, []byte(`{"data":{`))
			_ = f.WriteRSTStream(stream, http2.ErrCodeInternal)
		}), want: answered(hmp.BadPayload, 200).certificate()},
		{name: "GOAWAY in the body", prepare: overHTTP2(func(f *http2.Framer, stream uint32) {
			respond(f, stream, "200", false)
			_ = f.WriteGoAway(0, http2.ErrCodeInternal, nil)
		}), want: answered(hmp.BadPayload, 200).certificate()},
		{name: "requests are never answered", prepare: overHTTP2(func(*http2.Framer, uint32) {}), want: failed(hmp.Timeout, 1).certificate().lasts()},
		{name: "HTTP/1.1 after HTTP/2 was negotiated", prepare: negotiated(func(p *peer) { p.write(response(200, session())); p.hang() }), want: broken},
		{name: "closed after HTTP/2 was negotiated", prepare: negotiated((*peer).closeTCP), want: broken},
		{name: "a redirect", prepare: overHTTP2(func(f *http2.Framer, stream uint32) { respond(f, stream, "302", true) }), want: answered(hmp.Redirect, 302).certificate()},
	}
}

// negotiated negotiates HTTP/2, then runs a script.
func negotiated(sc script) func(*setup) {
	return func(s *setup) {
		config := signed(hmpsim.CertificateOptions{})
		config.NextProtos = []string{"h2"}
		s.targetTLS(config, sc)
		s.trust(authority().PEM())
		s.configure("enable_http2: true")
	}
}

// overHTTP2 answers each HTTP/2 request with frames.
func overHTTP2(answer func(f *http2.Framer, stream uint32)) func(*setup) {
	return negotiated(func(p *peer) {
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(p.in, preface); err != nil {
			return
		}
		f := http2.NewFramer(p, p.in)
		if f.WriteSettings() != nil {
			return
		}
		for {
			frame, err := f.ReadFrame()
			if err != nil {
				return
			}
			if ended, ok := endOfRequest(frame); ok && ended {
				answer(f, frame.Header().StreamID)
			}
		}
	})
}

// endOfRequest tells whether a request ends with a frame.
func endOfRequest(frame http2.Frame) (ended, ok bool) {
	switch frame := frame.(type) {
	case *http2.HeadersFrame:
		return frame.StreamEnded(), true
	case *http2.DataFrame:
		return frame.StreamEnded(), true
	default:
		return false, false
	}
}

// respond writes the headers of a response.
func respond(f *http2.Framer, stream uint32, status string, end bool) {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	_ = e.WriteField(hpack.HeaderField{Name: ":status", Value: status})
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: b.Bytes(), EndStream: end, EndHeaders: true})
}

func refuse(f *http2.Framer, stream uint32) {
	_ = f.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
}
