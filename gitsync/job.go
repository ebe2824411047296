package gitsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// job is everything one fetch, and reading what it brought, needs. It crosses the pipe to the child, with the
// secrets in it, and is never logged.
type job struct {
	URL        string
	Branch     string
	MirrorDir  string
	Username   string
	Password   string
	KeyFile    string
	KnownHosts string
	Limits     Limits
	Keys       Keys
	// Requests are of one commit.
	Requests []Request
}

func newJob(c Config, s secrets, requests []Request) job {
	return job{
		URL: c.URL, Branch: c.Branch, MirrorDir: c.MirrorDir,
		Username: s.username, Password: s.password, KeyFile: s.keyFile, KnownHosts: s.knownHostsFile,
		Limits: c.Limits, Keys: c.Keys, Requests: requests,
	}
}

// receiver takes what a job comes to: first that everything is there to be read, then an answer for each request, in
// their order. Its errors end the job.
type receiver interface {
	ready() error
	answer(reading *Reading, err error) error
}

// shelf opens the objects that are read; again, if those that it opened before are not what they should be.
type shelf func(ctx context.Context, again bool) (*objects, error)

// run does the work in this process. What it returns is the answer to all requests that were not answered.
func (j job) run(ctx context.Context, to receiver, log *slog.Logger) error {
	r, err := parseRemote(j.URL)
	if err != nil {
		return err
	}
	if r.scheme == "file" {
		return j.each(ctx, localShelf(r.path), isStale, to)
	}
	home, err := openMirrorHome(ctx, j.MirrorDir, j.identity())
	if err != nil {
		return err
	}
	defer home.close()
	source, err := newSource(r, j.secrets(), j.Limits.MaxTransferBytes)
	if err != nil {
		return err
	}
	defer source.close()
	f := fetcher{home: home, source: source, branch: j.Branch, log: log}
	return j.each(ctx, f.shelf(j.Requests[0].Commit), isDamage, to)
}

// each answers the requests. Where one of them shows that what was opened cannot be trusted, it is opened anew, once.
func (j job) each(ctx context.Context, open shelf, doubtful func(error) bool, to receiver) error {
	store, err := open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { store.close() }()
	if err := to.ready(); err != nil {
		return err
	}
	again := true
	for _, request := range j.Requests {
		reading, err := j.read(ctx, store, request)
		if again && doubtful(err) {
			again = false
			var fresh *objects
			if fresh, err = open(ctx, true); err == nil {
				store.close()
				store = fresh
				reading, err = j.read(ctx, store, request)
			}
		}
		if err := to.answer(reading, err); err != nil {
			return err
		}
	}
	return nil
}

// read reads one environment. A panic below comes from a damaged or hostile object that the library did not expect, and
// is reported as such.
func (j job) read(ctx context.Context, store *objects, request Request) (reading *Reading, err error) {
	defer func() {
		if p := recover(); p != nil {
			reading, err = nil, fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return readCommit(ctx, store, request, j.Limits, j.Keys)
}

// localShelf reads a local repository in place. A repack that runs at the same time may remove what was just found, so
// a miss is looked for once more with fresh indexes.
func localShelf(dir string) shelf {
	return func(context.Context, bool) (*objects, error) {
		layout, err := findRepository(dir)
		if err != nil {
			return nil, err
		}
		return openObjects(layout, "")
	}
}

func isStale(err error) bool { return isDamage(err) || errors.Is(err, ErrCommitNotFound) }

func (j job) secrets() secrets {
	return secrets{username: j.Username, password: j.Password, keyFile: j.KeyFile, knownHostsFile: j.KnownHosts}
}

// identity names what a mirror is of; a mirror of something else is not used.
func (j job) identity() string { return Redact(j.URL) + " " + j.Branch }

func isDamage(err error) bool {
	return errors.Is(err, ErrDamaged) || errors.Is(err, ErrMissingObject)
}
