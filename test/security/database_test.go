package security

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
)

// database speaks just enough of PostgreSQL's protocol to turn everybody away, and repeats in its answer what they
// showed: user, database and password.
type database struct {
	port string

	mu    sync.Mutex
	shown []string
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	d := &database{port: port}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer conn.Close()
				d.refuse(conn)
			})
		}
	})
	t.Cleanup(func() { listener.Close(); work.Wait() })
	return d
}

// passwords are all that were shown.
func (d *database) passwords() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.shown...)
}

const (
	sslRequest     = 80877103
	gssRequest     = 80877104
	maxMessage     = 10 << 10
	cleartextAsked = 3
)

func (d *database) refuse(conn net.Conn) {
	for {
		startup, err := message(conn)
		if err != nil || len(startup) < 4 {
			return
		}
		if code := binary.BigEndian.Uint32(startup); code != sslRequest && code != gssRequest {
			break
		}
		if _, err := conn.Write([]byte("N")); err != nil {
			return
		}
	}
	if err := send(conn, 'R', binary.BigEndian.AppendUint32(nil, cleartextAsked)); err != nil {
		return
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		return
	}
	password, err := message(conn)
	if err != nil {
		return
	}
	d.mu.Lock()
	d.shown = append(d.shown, string(password[:len(password)-1]))
	d.mu.Unlock()
	_ = send(conn, 'E', []byte("SFATAL\x00VFATAL\x00C28P01\x00Mthe password \""+string(password[:len(password)-1])+"\" is wrong\x00\x00"))
}

// message reads what comes after its length.
func message(r io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n < 5 || n > maxMessage {
		return nil, io.ErrUnexpectedEOF
	}
	body := make([]byte, n-4)
	_, err := io.ReadFull(r, body)
	return body, err
}

func send(w io.Writer, kind byte, body []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4)), body...))
	return err
}
