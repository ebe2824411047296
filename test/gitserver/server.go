package gitserver

import (
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// Phase is a step of the smart HTTP protocol.
type Phase string

const (
	// Advertise is GET info/refs.
	Advertise Phase = "advertise"
	// List is a POST that asks for refs (protocol version 2).
	List Phase = "list"
	// Fetch is a POST that asks for a pack.
	Fetch Phase = "fetch"
)

// Server serves the repositories below a folder over HTTP.
type Server struct {
	// URL is the address of the folder; append "/" and a repository's path.
	URL string

	backend *cgi.Handler
	closing chan struct{}

	// gate is held while a test changes what must be seen as a whole.
	gate sync.RWMutex

	mu         sync.Mutex
	behaviours map[Phase]Behaviour
	username   string
	password   string
	version0   bool
	requests   map[Phase]int
	authorized []string
}

// New starts a server over all repositories below root, on loopback. It ends with the test.
func New(t testing.TB, root string) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return NewOn(t, root, listener)
}

// NewOn is New on a listener of the caller's, which the server closes.
func NewOn(t testing.TB, root string, listener net.Listener) *Server {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatalf("git is needed: %v", err)
	}
	s := &Server{
		backend: &cgi.Handler{
			Stderr: io.Discard,
			Path:   git, Args: []string{"http-backend"}, Root: "/",
			Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1",
				"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
		},
		closing:    make(chan struct{}),
		behaviours: map[Phase]Behaviour{},
		requests:   map[Phase]int{},
	}
	web := httptest.NewUnstartedServer(s)
	_ = web.Listener.Close()
	web.Listener = listener
	web.Start()
	s.URL = web.URL
	t.Cleanup(web.Close)
	t.Cleanup(func() { close(s.closing) }) // first, so that requests that hang let go
	return s
}

// Atomically makes several changes, of behaviours and of repositories, as one: a request is answered as before all of
// them or as after all of them.
func (s *Server) Atomically(change func()) {
	s.gate.Lock()
	defer s.gate.Unlock()
	change()
}

// Behave sets what happens in a phase; nil serves it normally.
func (s *Server) Behave(phase Phase, behaviour Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behaviours[phase] = behaviour
}

// Reset makes the server behave in every phase.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.behaviours)
}

// RequireLogin asks for HTTP basic authentication from now on.
func (s *Server) RequireLogin(username, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.username, s.password = username, password
}

// SpeakVersion0 makes the server ignore the client's wish for protocol version 2.
func (s *Server) SpeakVersion0() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version0 = true
}

// Requests returns how often a phase was asked for.
func (s *Server) Requests(phase Phase) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[phase]
}

// Authorizations returns the Authorization headers that were received, in order, without the
// empty ones.
func (s *Server) Authorizations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.authorized...)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	phase, err := phaseOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.gate.RLock()
	behaviour, allowed, version0 := s.admit(phase, r)
	if behaviour == nil && allowed {
		defer s.gate.RUnlock()
	} else {
		s.gate.RUnlock() // a behaviour may hang
	}
	if !allowed {
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	if version0 {
		r.Header.Del("Git-Protocol")
	}
	if behaviour == nil {
		s.backend.ServeHTTP(w, r)
		return
	}
	behaviour(w, r, s.backend, s.closing)
}

func (s *Server) admit(phase Phase, r *http.Request) (behaviour Behaviour, allowed, version0 bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[phase]++
	if header := r.Header.Get("Authorization"); header != "" {
		s.authorized = append(s.authorized, header)
	}
	username, password, _ := r.BasicAuth()
	allowed = s.username == "" && s.password == "" || username == s.username && password == s.password
	return s.behaviours[phase], allowed, s.version0
}

func phaseOf(r *http.Request) (Phase, error) {
	if strings.HasSuffix(r.URL.Path, "/info/refs") {
		return Advertise, nil
	}
	body, err := peek(r)
	if err != nil {
		return "", err
	}
	if strings.Contains(body, "command=ls-refs") {
		return List, nil
	}
	return Fetch, nil
}
