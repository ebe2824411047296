package gitsync

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing"
)

const (
	maxNameRunes    = 200
	maxMessageRunes = 16_000
	maxParents      = 256
)

// commit is what this package needs of a commit object.
type commit struct {
	info    CommitInfo
	tree    plumbing.Hash
	parents []plumbing.Hash
}

// commit reads one commit. A commit that does not exist is ErrMissingObject; one that makes no
// sense is a RejectedTreeError.
func (o *objects) commit(hash plumbing.Hash) (commit, error) {
	raw, err := o.read(hash, plumbing.CommitObject, maxCommitBytes)
	if errors.Is(err, errTooLarge) {
		return commit{}, &RejectedTreeError{Path: "commit " + hash.String(), Reason: err.Error()}
	}
	if err != nil {
		return commit{}, err
	}
	c, err := parseCommit(hash.String(), string(raw))
	if err != nil {
		return commit{}, &RejectedTreeError{Path: "commit " + hash.String(), Reason: err.Error()}
	}
	return c, nil
}

// parseCommit is strict about what identifies content, tree and parents, and lenient about
// people and dates, which old tools wrote in many ways.
func parseCommit(sha, raw string) (commit, error) {
	header, message, _ := strings.Cut(raw, "\n\n")
	c := commit{info: CommitInfo{SHA: sha, Message: cleanText(message, maxMessageRunes)}}
	for line := range strings.SplitSeq(header, "\n") {
		key, value, _ := strings.Cut(line, " ")
		switch key {
		case "tree", "parent":
			if !isSHA(value) {
				return commit{}, fmt.Errorf("has a malformed %s", key)
			}
			if key == "tree" {
				c.tree = plumbing.NewHash(value)
			} else {
				c.parents = append(c.parents, plumbing.NewHash(value))
			}
		case "author":
			c.info.Author, c.info.AuthorEmail, _ = parsePerson(value)
		case "committer":
			c.info.Committer, c.info.CommitterEmail, c.info.Time = parsePerson(value)
		}
	}
	if c.tree.IsZero() || len(c.parents) > maxParents {
		return commit{}, errors.New("has no tree or too many parents")
	}
	return c, nil
}

// parsePerson takes "Name <address> seconds zone" apart; what is malformed stays empty.
func parsePerson(text string) (name, email string, when time.Time) {
	name, rest, _ := strings.Cut(text, "<")
	email, rest, _ = strings.Cut(rest, ">")
	stamp, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || seconds < 0 || seconds > 253402300799 { // the end of the year 9999
		seconds = 0
	}
	return cleanText(name, maxNameRunes), cleanText(email, maxNameRunes), time.Unix(seconds, 0).UTC()
}

var coAuthorLine = regexp.MustCompile(`(?mi)^\s*co-authored-by:\s*([^<\n]*)<([^>\n]*)>`)

// contributors lists a commit's people.
func (c CommitInfo) contributors() []Contributor {
	people := []Contributor{
		{Name: c.Author, Email: c.AuthorEmail, Role: Author},
		{Name: c.Committer, Email: c.CommitterEmail, Role: Committer},
	}
	for _, match := range coAuthorLine.FindAllStringSubmatch(c.Message, maxParents) {
		people = append(people, Contributor{
			Name: strings.TrimSpace(match[1]), Email: strings.TrimSpace(match[2]), Role: CoAuthor,
		})
	}
	return people
}

// cleanText makes text of a commit safe to show: valid UTF-8, no control or direction
// characters except line breaks and tabs, at most limit runes, no space around it.
func cleanText(text string, limit int) string {
	var clean strings.Builder
	runes := 0
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		if runes == limit {
			break
		}
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control)) {
			continue
		}
		clean.WriteRune(r)
		runes++
	}
	return strings.TrimSpace(clean.String())
}
