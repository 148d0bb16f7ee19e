package serve

import (
	"encoding/json"
	"net/http"
)

// stream answers with server-sent events, as texts are written.
func (j *job) stream(c *call) error {
	w := &eventStream{call: c, server: j.server, job: j, begun: map[int]bool{}, envelope: j.envelope()}
	if j.StreamOptions.IncludeUsage {
		w.envelope.Usage = (*usage)(nil)
	}
	for _, t := range j.tickets {
		for ended := false; !ended; {
			select {
			case <-j.out.ready:
			case <-t.Done():
				ended = true
			}
			if err := w.pieces(); err != nil {
				return err
			}
		}
	}
	return w.end()
}

// eventStream is the connection. Its header is written with the first event:
// what fails before is told by a status.
type eventStream struct {
	*call
	server   *Server
	job      *job
	begun    map[int]bool // texts that a client knows of
	envelope *envelope
}

// pieces sends what has been written.
func (w *eventStream) pieces() error {
	list := w.job.out.take()
	if len(list) == 0 {
		return nil
	}
	w.server.hurry(w.call)
	for i := range list {
		e := &list[i]
		if !w.begun[e.index] {
			w.begun[e.index] = true
			if first := w.job.form.first(e.index); first != nil {
				if err := w.choices(first); err != nil {
					return err
				}
			}
		}
		if err := w.choices(w.job.form.piece(e)); err != nil {
			return err
		}
	}
	if err := http.NewResponseController(w.ResponseWriter).Flush(); err != nil {
		return &leftError{err}
	}
	return nil
}

func (w *eventStream) choices(list ...any) error {
	w.envelope.Choices = append([]any{}, list...)
	return w.event(w.envelope)
}

func (w *eventStream) event(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return w.data(text)
}

func (w *eventStream) data(text []byte) error {
	if w.status == 0 {
		w.Header().Set("Content-Type", "text/event-stream")
	}
	if _, err := w.Write(append(append([]byte("data: "), text...), "\n\n"...)); err != nil {
		return &leftError{err}
	}
	return nil
}

// end says how it ended.
func (w *eventStream) end() error {
	if err := w.job.conclude(); err != nil {
		if w.status == 0 {
			return err
		}
		w.server.hurry(w.call)
		if told := w.event(map[string]*failure{"error": explain(err)}); told != nil {
			return told
		}
		return err
	}
	w.job.finish()
	if err := w.pieces(); err != nil {
		return err
	}
	w.server.hurry(w.call)
	if w.job.StreamOptions.IncludeUsage {
		w.envelope.Usage = w.job.usage()
		if err := w.choices(); err != nil {
			return err
		}
	}
	return w.data([]byte("[DONE]"))
}
