package app

// sequences passes sequences of ids on, one after the other.
type sequences func(take func(ids []int32) error) error

func (s *session) windows(o *pplOptions) sequences { return nil }
