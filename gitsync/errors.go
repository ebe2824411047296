package gitsync

import (
	"errors"
	"fmt"
)

// Kind says what the caller should do about an error.
type Kind int

const (
	// Transient errors may pass by themselves: back off and try again.
	Transient Kind = iota
	// Content errors belong to one commit: trying again gives the same answer.
	Content
	// Configuration errors need an operator; trying again (slowly) is harmless.
	Configuration
)

// String returns the kind in lower case.
func (k Kind) String() string {
	switch k {
	case Content:
		return "content"
	case Configuration:
		return "configuration"
	default:
		return "transient"
	}
}

// failure is a sentinel: a text for people, a code for machines, and its kind.
type failure struct {
	code string
	kind Kind
	text string
}

func (f *failure) Error() string { return f.text }

// The ways in which this package fails. Every error that it returns wraps one of them
// or a context error.
var (
	// ErrConfig: the settings are wrong or name something that does not exist.
	ErrConfig error = &failure{"invalid_config", Configuration, "invalid repository configuration"}
	// ErrAuth: the server does not accept the credentials.
	ErrAuth error = &failure{"authentication_failed", Configuration, "the Git server refused the credentials"}
	// ErrHostKey: the SSH server's key is unknown or has changed.
	ErrHostKey error = &failure{"host_key_refused", Configuration, "the SSH server's host key is not trusted"}
	// ErrRedirect: the server points to another host, which is never followed.
	ErrRedirect error = &failure{"redirect_refused", Configuration, "refused a redirect to another host"}
	// ErrUnsupported: the repository uses a format that cannot be read.
	ErrUnsupported error = &failure{"unsupported_repository", Configuration, "unsupported repository format"}
	// ErrUnavailable: the repository cannot be reached or answers with an error.
	ErrUnavailable error = &failure{"repository_unavailable", Transient, "the repository is unavailable"}
	// ErrGarbage: the server's answer is not what the protocol says.
	ErrGarbage error = &failure{"garbage_answer", Transient, "the Git server sent an invalid answer"}
	// ErrEmptyRepository: the repository exists and has no branch at all.
	ErrEmptyRepository error = &failure{"empty_repository", Transient, "the repository is empty"}
	// ErrBranchNotFound: the repository has branches, but not this one.
	ErrBranchNotFound error = &failure{"branch_not_found", Transient, "branch not found"}
	// ErrCommitNotFound: the commit is not in the repository (any more).
	ErrCommitNotFound error = &failure{"commit_not_found", Transient, "commit not found"}
	// ErrMissingObject: an object that a commit refers to does not exist.
	ErrMissingObject error = &failure{"missing_object", Transient, "an object is missing"}
	// ErrDamaged: an object or a pack cannot be read, or is not what its name says.
	ErrDamaged error = &failure{"damaged_object", Transient, "the object store is damaged"}
	// ErrTimeout: fetching and reading took longer than Limits.FetchTimeout.
	ErrTimeout error = &failure{"fetch_timeout", Transient, "fetching took too long"}
	// ErrMemory: fetching and reading needed more than Limits.FetchMemoryBytes.
	ErrMemory error = &failure{"fetch_memory", Transient, "fetching needed too much memory"}
	// ErrTransferSize: the server sent more than Limits.MaxTransferBytes.
	ErrTransferSize error = &failure{"transfer_too_large", Transient, "the Git server sent too much"}
	// ErrWorker: the child process ended without an answer.
	ErrWorker error = &failure{"worker_failed", Transient, "the fetch process failed"}
	// ErrStorage: the mirror's directory cannot be read or written.
	ErrStorage error = &failure{"mirror_storage", Transient, "the mirror cannot be stored"}
	// ErrKeys: the files that say who may sign commits cannot be used.
	ErrKeys error = &failure{"verification_keys", Configuration, "signatures cannot be checked"}
	// ErrRejectedTree: a commit holds something that is refused; see RejectedTreeError.
	ErrRejectedTree error = &failure{"rejected_tree", Content, "the commit is refused"}
)

// sentinels lists all failures, to find one by its code.
func sentinels() []error {
	return []error{
		ErrConfig, ErrAuth, ErrHostKey, ErrRedirect, ErrUnsupported, ErrUnavailable, ErrGarbage,
		ErrEmptyRepository, ErrBranchNotFound, ErrCommitNotFound, ErrMissingObject, ErrDamaged,
		ErrTimeout, ErrMemory, ErrTransferSize, ErrWorker, ErrStorage, ErrKeys, ErrRejectedTree,
	}
}

// Code returns the stable code of an error of this package, such as "branch_not_found";
// "internal" for any other error, "" for nil.
func Code(err error) string {
	if err == nil {
		return ""
	}
	var f *failure
	if errors.As(err, &f) {
		return f.code
	}
	return "internal"
}

// KindOf returns what to do about err; Transient for errors of other origin.
func KindOf(err error) Kind {
	var f *failure
	if errors.As(err, &f) {
		return f.kind
	}
	return Transient
}

// RejectedTreeError names the path that makes a commit unacceptable. It wraps ErrRejectedTree.
type RejectedTreeError struct {
	// Path is relative to the repository's root, quoted if it is not printable.
	Path string
	// Reason is one clause for people, such as "is a symbolic link".
	Reason string
}

// Error returns "<path>: <reason>".
func (e *RejectedTreeError) Error() string { return fmt.Sprintf("%s: %s", e.Path, e.Reason) }

// Unwrap returns ErrRejectedTree.
func (e *RejectedTreeError) Unwrap() error { return ErrRejectedTree }
