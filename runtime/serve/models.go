package serve

import (
	"net/http"

	"github.com/mambac/mambac/runtime/schedule"
)

// modelsPath is where models are by their names.
const modelsPath = "/v1/models/"

type modelObject struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`

	// What OpenAI does not have: what there is to ask for.
	Chat    bool `json:"chat"`
	Explain bool `json:"explain"`
}

func (s *Server) object() modelObject {
	return modelObject{s.Name, "model", s.started.Unix(), "mambac", s.Template != nil && s.Tokenizer != nil, s.Heat != nil && s.Tokenizer != nil}
}

// models lists the one that there is.
func (s *Server) models(c *call) error {
	s.writeJSON(c, http.StatusOK, map[string]any{"object": "list", "data": []modelObject{s.object()}})
	return nil
}

func (s *Server) model(c *call, name string) error {
	if err := s.checkModel(name); err != nil {
		return err
	}
	s.writeJSON(c, http.StatusOK, s.object())
	return nil
}

// checkModel tells of a name that is not the model's.
func (s *Server) checkModel(name string) error {
	if name == s.Name {
		return nil
	}
	f := failf(http.StatusNotFound, "model_not_found", "the model %.200q does not exist; this server has %q", name, s.Name)
	param := "model"
	f.Param = &param
	return f
}

// health says that the server is there, and takes requests.
func (s *Server) health(c *call) error {
	select {
	case <-s.closing:
		return schedule.ErrClosed
	default:
	}
	s.writeJSON(c, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}
