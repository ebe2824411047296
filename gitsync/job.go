package gitsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// job is everything one fetch and read needs. It crosses the pipe to the child, with the
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
	Request    Request
}

func newJob(c Config, s secrets, r Request) job {
	return job{
		URL: c.URL, Branch: c.Branch, MirrorDir: c.MirrorDir,
		Username: s.username, Password: s.password, KeyFile: s.keyFile, KnownHosts: s.knownHostsFile,
		Limits: c.Limits, Keys: c.Keys, Request: r,
	}
}

// run does the work in this process. A panic below comes from a damaged or hostile object
// that the library did not expect, and is reported as such.
func (j job) run(ctx context.Context, log *slog.Logger) (reading *Reading, err error) {
	defer func() {
		if p := recover(); p != nil {
			reading, err = nil, fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	r, err := parseRemote(j.URL)
	if err != nil {
		return nil, err
	}
	if r.scheme == "file" {
		return j.readLocal(ctx, r.path)
	}
	return j.readMirror(ctx, r, log)
}

// readLocal reads a local repository in place. A repack that runs at the same time may remove
// what was just found, so a miss is looked for once more with fresh indexes.
func (j job) readLocal(ctx context.Context, dir string) (*Reading, error) {
	reading, err := j.readLocalOnce(ctx, dir)
	if isDamage(err) || errors.Is(err, ErrCommitNotFound) {
		reading, err = j.readLocalOnce(ctx, dir)
	}
	return reading, err
}

func (j job) readLocalOnce(ctx context.Context, dir string) (*Reading, error) {
	layout, err := findRepository(dir)
	if err != nil {
		return nil, err
	}
	store, err := openObjects(layout)
	if err != nil {
		return nil, err
	}
	defer store.close()
	return readCommit(ctx, store, j.Request, j.Limits, j.Keys)
}

// readMirror reads from the mirror after bringing it up to date. Damage found while reading
// costs one fresh clone; damage found again is the server's.
func (j job) readMirror(ctx context.Context, r remote, log *slog.Logger) (*Reading, error) {
	home, err := openMirrorHome(ctx, j.MirrorDir, j.identity())
	if err != nil {
		return nil, err
	}
	defer home.close()
	source, err := newSource(r, j.secrets(), j.Limits.MaxTransferBytes)
	if err != nil {
		return nil, err
	}
	defer source.close()
	f := fetcher{home: home, source: source, branch: j.Branch, log: log}
	reading, err := f.readWith(ctx, j.Request.Commit, f.update, j.read)
	if !isDamage(err) {
		return reading, err
	}
	log.Warn("the mirror is damaged and is cloned again", "repository", Redact(j.URL), "error", err.Error())
	return f.readWith(ctx, j.Request.Commit, f.replace, j.read)
}

func (j job) read(ctx context.Context, store *objects) (*Reading, error) {
	return readCommit(ctx, store, j.Request, j.Limits, j.Keys)
}

func (j job) secrets() secrets {
	return secrets{username: j.Username, password: j.Password, keyFile: j.KeyFile, knownHostsFile: j.KnownHosts}
}

// identity names what a mirror is of; a mirror of something else is not used.
func (j job) identity() string { return Redact(j.URL) + " " + j.Branch }

func isDamage(err error) bool {
	return errors.Is(err, ErrDamaged) || errors.Is(err, ErrMissingObject)
}
