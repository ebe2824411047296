package gitsync

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
)

// Config describes one repository and branch.
type Config struct {
	// URL is https://, http://, ssh://, git@host:path or file:///.
	URL string
	// Branch is the short name of the branch, such as "main".
	Branch string
	// MirrorDir is the absolute path of a directory of our own; see Place. Not used for file://.
	MirrorDir string
	// Credentials for the server; unused for file://.
	Credentials Credentials
	// Keys are who may sign commits; used where a Request asks for it.
	Keys Keys
	// Limits of one fetch and read; zero values mean defaults.
	Limits Limits
	// Logger receives what an operator may want to know; nil discards it.
	Logger *slog.Logger
	// Executable is the binary that is started as "<Executable> git-worker" to fetch and read,
	// and must then call WorkerMain. "" does the same work in this process, without a limit on
	// memory: for tests and offline commands.
	Executable string
}

// Validate reports the first setting that cannot work, as ErrConfig. It touches no file.
func (c Config) Validate() error {
	r, err := parseRemote(c.URL)
	if err != nil {
		return err
	}
	if err := validateBranch(c.Branch); err != nil {
		return err
	}
	if r.scheme != "file" && !filepath.IsAbs(c.MirrorDir) {
		return fmt.Errorf("%w: the mirror's directory %q is not absolute", ErrConfig, c.MirrorDir)
	}
	return c.Limits.Validate()
}

// validateBranch applies the rules of git check-ref-format.
func validateBranch(name string) error {
	bad := name == "" || name == "@" || len(name) > 255 ||
		strings.ContainsFunc(name, isControl) || strings.ContainsAny(name, " ~^:?*[\\") ||
		strings.Contains(name, "..") || strings.Contains(name, "@{") ||
		strings.HasPrefix(name, "-") || strings.HasSuffix(name, ".")
	for part := range strings.SplitSeq(name, "/") {
		bad = bad || part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock")
	}
	if bad {
		return fmt.Errorf("%w: %q is not a branch name", ErrConfig, name)
	}
	return nil
}

// validateEnvironment accepts what can be one folder below environments/.
func validateEnvironment(name string) error {
	if name == commonFolder {
		return fmt.Errorf("%w: %q is shared by all environments and cannot be one", ErrConfig, name)
	}
	if strings.ContainsAny(name, `/\`) || nameProblem(name) != "" {
		return fmt.Errorf("%w: %q is not an environment name", ErrConfig, name)
	}
	return nil
}

// validate checks a request's form.
func (r Request) validate() error {
	if !isSHA(r.Commit) {
		return fmt.Errorf("%w: commit %q is not 40 hexadecimal digits", ErrConfig, r.Commit)
	}
	if r.Deployed != "" && !isSHA(r.Deployed) {
		return fmt.Errorf("%w: deployed commit %q is not 40 hexadecimal digits", ErrConfig, r.Deployed)
	}
	return validateEnvironment(r.Environment)
}

// validateAll checks requests that are answered together.
func validateAll(requests []Request) error {
	for _, r := range requests {
		if err := r.validate(); err != nil {
			return err
		}
		if r.Commit != requests[0].Commit {
			return fmt.Errorf("%w: requests for %s and %s at once", ErrConfig, requests[0].Commit, r.Commit)
		}
	}
	return nil
}

func isSHA(text string) bool {
	return len(text) == 40 && strings.Trim(text, "0123456789abcdef") == ""
}
