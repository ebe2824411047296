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
func (m *Mirror) Read(ctx context.Context, request Request) (*Reading, error) {
	if err := request.validate(); err != nil {
		return nil, err
	}
	login, err := m.login()
	if err != nil {
		return nil, err
	}
	select {
	case m.slot <- struct{}{}:
		defer func() { <-m.slot }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, m.config.Limits.FetchTimeout)
	defer cancel()
	j := newJob(m.config, login, request)
	var reading *Reading
	if m.config.Executable == "" {
		reading, err = j.run(ctx, m.log)
	} else {
		reading, err = runWorker(ctx, m.config.Executable, j, m.log)
	}
	if err != nil {
		return nil, m.describe(timeoutError(ctx, err))
	}
	return reading, nil
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
	case ctx.Err() == nil || errors.Is(err, ErrTimeout):
		return err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return ErrTimeout
	default:
		return ctx.Err()
	}
}
