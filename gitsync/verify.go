package gitsync

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// maxVerified bounds the commits whose signatures one read checks.
const maxVerified = 5_000

// verify checks signatures. Of a first deployment, and of the deployed commit itself, only the
// commit that is read is looked at: there is nothing that it follows.
func (r *Reading) verify(ctx context.Context, store *objects, line lineage, job checking) error {
	if job.Mode == VerifyNone {
		return nil
	}
	ring, unusable := openKeyring(job.keys, time.Now())
	if unusable != nil {
		return r.unread(job.Mode, unusable)
	}
	commits := []string{r.Commit.SHA}
	if line.relation == FastForward || line.relation == Rewritten {
		commits = withHead(r.Commit.SHA, line.fresh)
	}
	over := len(commits) > maxVerified
	people, err := r.checkAll(ctx, store, ring, commits[:min(len(commits), maxVerified)], job.EveryCommit)
	if err != nil {
		return err
	}
	r.Contributors = people.list
	r.ContributorsUnknown = r.ContributorsUnknown || people.full || over
	if job.EveryCommit && (over || line.truncated) && r.Signature.Status == SignatureGood {
		r.Signature = Signature{
			Status: SignatureUnread, Commit: r.Commit.SHA,
			Detail: fmt.Sprintf("more commits than can be checked lie between it and the deployed one; at most %d are", maxVerified),
		}
	}
	return nil
}

// unread records that nothing is known; where signatures are required, that is an error.
func (r *Reading) unread(mode VerifyMode, why error) error {
	r.Signature = Signature{Status: SignatureUnread, Commit: r.Commit.SHA, Detail: why.Error()}
	if mode == VerifyRequired {
		return why
	}
	return nil
}

// checkAll checks the commits, the one that is read first, and returns everybody with a part in them.
func (r *Reading) checkAll(ctx context.Context, store *objects, ring *keyring, commits []string, every bool) (*people, error) {
	people := newPeople()
	people.add(r.Contributors)
	for i, sha := range commits {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		raw, err := store.read(plumbing.NewHash(sha), plumbing.CommitObject, maxCommitBytes)
		if err != nil {
			return nil, err
		}
		found := ring.check(raw)
		found.Commit = sha
		if i == 0 || (every && r.Signature.Status == SignatureGood && found.Status != SignatureGood) {
			r.Signature = found.Signature
		}
		if found.Status == SignatureGood {
			people.add(found.people)
		}
	}
	return people, nil
}

// withHead puts the commit that is read before the others.
func withHead(head string, others []string) []string {
	list := []string{head}
	for _, sha := range others {
		if sha != head {
			list = append(list, sha)
		}
	}
	return list
}

// checking is what a read is asked to check, and by which keys.
type checking struct {
	Verification
	keys Keys
}

func sortPeople(people []Contributor) {
	slices.SortFunc(people, func(a, b Contributor) int { return strings.Compare(a.Name+"\x00"+a.Email, b.Name+"\x00"+b.Email) })
}
