package gitsync

import "time"

// Request names what to read.
type Request struct {
	// Commit is the commit to read, 40 hexadecimal digits: what Head returned.
	Commit string
	// Deployed is the commit that is deployed now, or "" if none is.
	Deployed string
	// Environment is the folder below environments/.
	Environment string
	// Verification says which signatures are checked.
	Verification Verification
}

// Reading is what one environment holds at one commit, and how it got there.
type Reading struct {
	Commit CommitInfo
	// Files are all files of environments/<environment>/ and environments/common/, sorted by path.
	Files []File
	// Policy is the content of .gitops/deployment-policy.yaml; nil if there is none.
	Policy []byte
	// NoEnvironment is set if the commit was read without any doubt and the environment's
	// folder does not exist or holds no file. An unreadable folder is an error, never this.
	NoEnvironment bool
	// ChangedFiles counts the files that differ between Deployed and Commit in the whole
	// repository; all files of the commit if there is nothing to compare with.
	ChangedFiles int
	// RelevantFiles counts those of them in the environment's folder, in common, or the policy file.
	RelevantFiles int
	// Relation says how Commit follows Deployed.
	Relation Relation
	// RewrittenAway are the commits, newest first and at most 50, that lead to Deployed but not
	// to Commit. Empty if Deployed is not in the repository any more.
	RewrittenAway []CommitInfo
	// Contributors are the people of every commit since Deployed (of the whole history if
	// Relation is New), each role once per address, in order of first appearance, newest commit first.
	Contributors []Contributor
	// ContributorsUnknown is set if there are more of them, or the history is longer, than the
	// budget: what depends on every contributor must not rely on Contributors.
	ContributorsUnknown bool
	// Truncated is set if any number or list here is a lower bound: ContributorsUnknown, or there
	// are more changed files than can be counted.
	Truncated bool
	// Signature is what the check of signatures found.
	Signature Signature
}

// CommitInfo describes one commit. Texts are valid UTF-8, bounded in length,
// and free of control and direction characters.
type CommitInfo struct {
	SHA            string
	Author         string
	AuthorEmail    string
	Committer      string
	CommitterEmail string
	// Message is the whole message; its first line is the subject.
	Message string
	// Time is the committer's time in UTC, as the committer claims it.
	Time time.Time
}

// File is one file of the repository.
type File struct {
	// Path is relative to the repository's root, with forward slashes.
	Path    string
	Content []byte
}

// Relation says how a commit follows the deployed one.
type Relation string

const (
	// New means: nothing was deployed before.
	New Relation = "new"
	// Same means: it is the deployed commit.
	Same Relation = "same"
	// FastForward means: the deployed commit is an ancestor.
	FastForward Relation = "fast-forward"
	// Rewritten means: the deployed commit is missing or is no ancestor.
	Rewritten Relation = "rewritten"
)

// Contributor is a person with a part in a commit.
type Contributor struct {
	Name  string
	Email string
	Role  Role
}

// Role is a contributor's part in a commit.
type Role string

const (
	// Author wrote the change.
	Author Role = "author"
	// Committer put it into the repository.
	Committer Role = "committer"
	// CoAuthor is named by a Co-authored-by line of the message.
	CoAuthor Role = "co-author"
	// Signer signed a commit; known only where signatures are checked.
	Signer Role = "signer"
)
