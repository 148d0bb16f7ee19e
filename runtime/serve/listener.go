package serve

import (
	"errors"
	"net"
	"sync"
)

// Listener accepts no more connections than Limits.Sockets at once; others wait
// with the system.
func (s *Server) Listener(l net.Listener) net.Listener {
	return &listener{Listener: l, places: make(chan struct{}, s.Limits.Sockets), closed: make(chan struct{})}
}

type listener struct {
	net.Listener
	places chan struct{} // holds a value for each connection
	closed chan struct{}
	once   sync.Once
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &conn{Conn: c, leave: sync.OnceFunc(func() { <-l.places })}, nil
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// conn gives its place back when it is closed.
type conn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *conn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// CloseWrite has net/http end what it says before it closes a connection, so that
// a client which still sends gets the answer, and not a reset.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
