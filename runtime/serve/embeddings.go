package serve

// embeddings says that there are none: a program hands out logits, and what comes
// before them was learned to tell the next token, not to lie close for texts that
// mean the same.
func (s *Server) embeddings(c *call) error {
	return unsupported(c, "the server makes no embeddings: the model continues texts, and what it has of them was not trained to be compared; ask a model that was")
}
