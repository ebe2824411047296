package gitsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// maxPollTime bounds one question for the branch head, whatever Limits.FetchTimeout says.
const maxPollTime = 20 * time.Second

// Mirror follows one branch of one repository. Head and Read may be called at the same
// time; reads wait for each other, because one fetch at a time owns the mirror on disk.
type Mirror struct {
	config Config
	remote remote
	log    *slog.Logger
	poller headReader
	slot   chan struct{}
}

// headReader asks one kind of remote for the head of a branch.
type headReader interface {
	head(ctx context.Context, branch string, login secrets) (string, error)
	close()
}

// Open checks the configuration and prepares for polling. It reaches no network and creates
// no file: a repository that is away does not keep a node from starting.
func Open(config Config) (*Mirror, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	r, err := parseRemote(config.URL)
	if err != nil {
		return nil, err
	}
	config.Limits = config.Limits.withDefaults()
	m := &Mirror{config: config, remote: r, log: config.Logger, slot: make(chan struct{}, 1)}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if r.scheme == "http" && config.Credentials.Password != "" {
		m.log.Warn("credentials are sent without encryption", "repository", Redact(config.URL))
	}
	m.poller = newHeadReader(r)
	return m, nil
}

func newHeadReader(r remote) headReader {
	switch r.scheme {
	case "file":
		return localHead{dir: r.path}
	case "ssh":
		return sshHead{remote: r}
	default:
		return newHTTPRemote(r, pollAnswerBytes)
	}
}

// Close releases the connection that is kept between polls.
func (m *Mirror) Close() { m.poller.close() }

// Head returns the commit that the branch points to, 40 hexadecimal digits. It transfers
// nothing else and starts no process. It fails with ErrBranchNotFound, ErrEmptyRepository,
// ErrUnavailable, ErrAuth, ErrHostKey, ErrRedirect, ErrGarbage, ErrUnsupported, ErrTimeout or
// ErrConfig.
func (m *Mirror) Head(ctx context.Context) (string, error) {
	login, err := m.login()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, min(maxPollTime, m.config.Limits.FetchTimeout))
	defer cancel()
	commit, err := m.poller.head(ctx, m.config.Branch, login)
	if err != nil {
		return "", m.describe(timeoutError(ctx, err))
	}
	return commit, nil
}

// Read returns what an environment holds at a commit. It fetches if the commit is not in the
// mirror yet, and replaces a mirror that is damaged. Nothing is ever reported as absent
// unless the commit was read completely. Beyond the errors of Head it fails with
// ErrCommitNotFound, ErrRejectedTree (see RejectedTreeError), ErrMemory, ErrTransferSize,
// ErrMissingObject, ErrDamaged, ErrStorage and ErrWorker.
func (m *Mirror) Read(ctx context.Context, request Request) (reading *Reading, err error) {
	m.ReadEach(ctx, []Request{request}, func(_ int, r *Reading, e error) { reading, err = r, e })
	return reading, err
}

// ReadEach is Read for several environments at one commit, at the cost of one fetch and one process. each is called for
// every request, in their order, as soon as its answer is there. What the folder of one environment does to those who
// read it is the answer to its request alone.
func (m *Mirror) ReadEach(ctx context.Context, requests []Request, each func(i int, reading *Reading, err error)) {
	all := func(err error) {
		for i := range requests {
			each(i, nil, err)
		}
	}
	if len(requests) == 0 {
		return
	}
	if err := validateAll(requests); err != nil {
		all(err)
		return
	}
	login, err := m.login()
	if err != nil {
		all(err)
		return
	}
	select {
	case m.slot <- struct{}{}:
		defer func() { <-m.slot }()
	case <-ctx.Done():
		all(ctx.Err())
		return
	}
	answer := func(i int, reading *Reading, err error) {
		if err != nil {
			reading, err = nil, m.describe(err)
		}
		each(i, reading, err)
	}
	j := newJob(m.config, login, requests)
	if m.config.Executable == "" {
		m.readHere(ctx, j, answer)
	} else {
		runWorker(ctx, m.config.Executable, j, m.log, answer)
	}
}

// readHere does a job in this process, within FetchTimeout for all of it.
func (m *Mirror) readHere(ctx context.Context, j job, answer func(i int, reading *Reading, err error)) {
	ctx, cancel := context.WithTimeout(ctx, m.config.Limits.FetchTimeout)
	defer cancel()
	to := &caller{answers: func(i int, reading *Reading, err error) { answer(i, reading, timeoutError(ctx, err)) }}
	err := j.run(ctx, to, m.log)
	for to.next < len(j.Requests) {
		_ = to.answer(nil, err) // never fails
	}
}

// caller is the receiver of a job in this process.
type caller struct {
	answers func(i int, reading *Reading, err error)
	next    int
}

func (c *caller) ready() error { return nil }

func (c *caller) answer(reading *Reading, err error) error {
	c.answers(c.next, reading, err)
	c.next++
	return nil
}

func (m *Mirror) login() (secrets, error) {
	login, err := m.config.Credentials.expand()
	if err != nil {
		return secrets{}, err
	}
	return m.remote.withLogin(login), nil
}

// describe says which repository an error is about.
func (m *Mirror) describe(err error) error {
	if errors.Is(err, ErrBranchNotFound) {
		return fmt.Errorf("%s: branch %q: %w", Redact(m.config.URL), m.config.Branch, err)
	}
	var rejected *RejectedTreeError
	if errors.As(err, &rejected) {
		return err
	}
	return fmt.Errorf("%s: %w", Redact(m.config.URL), err)
}

// timeoutError turns a deadline of ours into ErrTimeout and keeps a cancellation as it is.
func timeoutError(ctx context.Context, err error) error {
	switch {
	case err == nil || ctx.Err() == nil || errors.Is(err, ErrTimeout):
		return err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return ErrTimeout
	default:
		return ctx.Err()
	}
}
