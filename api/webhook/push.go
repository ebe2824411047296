package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// push is what is taken from a payload: which branches moved. Addresses,
// commits and lists of files in it are never looked at.
type push struct {
	branches []string
	// any: the sender does not say which branch; all are meant.
	any bool
	// ignored is why there is nothing to do; empty if there is.
	ignored string
}

var errPayload = errors.New("the payload cannot be read")

// document returns the JSON of a body; some hosts can send it inside of a form.
func (p *provider) document(h http.Header, body []byte) ([]byte, error) {
	if !p.forms || !strings.HasPrefix(h.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return body, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || !form.Has("payload") {
		return nil, fmt.Errorf("%w: the form has no field payload", errPayload)
	}
	return []byte(form.Get("payload")), nil
}

func decode[T any](body []byte) (value T, err error) {
	if err := json.Unmarshal(body, &value); err != nil {
		return value, fmt.Errorf("%w: %w", errPayload, err)
	}
	return value, nil
}

// ofRef is the push of one full reference name.
func ofRef(ref string, deleted bool) push {
	branch, is := strings.CutPrefix(ref, "refs/heads/")
	switch {
	case !is || branch == "":
		return push{ignored: "it is not about a branch"}
	case deleted:
		return push{ignored: "the branch was deleted"}
	}
	return push{branches: []string{branch}}
}

// readRef reads what GitHub, Gitea and Forgejo send.
func readRef(body []byte) (push, error) {
	m, err := decode[struct {
		Ref     string `json:"ref"`
		Deleted bool   `json:"deleted"`
		After   string `json:"after"`
	}](body)
	return ofRef(m.Ref, m.Deleted || zero(m.After)), err
}

// zero reports whether a commit is the one that stands for none.
func zero(commit string) bool { return commit != "" && strings.Trim(commit, "0") == "" }

// readGitlab reads what GitLab sends, for a project and for the whole system.
func readGitlab(body []byte) (push, error) {
	m, err := decode[struct {
		Kind  string `json:"object_kind"`
		Event string `json:"event_name"`
		Ref   string `json:"ref"`
		After string `json:"after"`
	}](body)
	if err == nil && m.Kind != "push" && m.Event != "push" {
		return push{ignored: "it is not about a push"}, nil
	}
	return ofRef(m.Ref, zero(m.After)), err
}

// readBitbucket reads what Bitbucket Cloud and Data Center send.
func readBitbucket(body []byte) (push, error) {
	type reference struct {
		Type string `json:"type"`
		Name string `json:"name"`
	}
	m, err := decode[struct {
		Push struct {
			Changes []struct {
				New *reference `json:"new"`
			} `json:"changes"`
		} `json:"push"`
		Changes []struct {
			Type string `json:"type"`
			Ref  struct {
				ID string `json:"id"`
			} `json:"ref"`
		} `json:"changes"`
	}](body)
	if err != nil {
		return push{}, err
	}
	var p push
	for _, change := range m.Push.Changes {
		if change.New != nil && change.New.Type == "branch" && change.New.Name != "" {
			p.branches = append(p.branches, change.New.Name)
		}
	}
	for _, change := range m.Changes {
		p.branches = append(p.branches, ofRef(change.Ref.ID, change.Type == "DELETE").branches...)
	}
	if len(p.branches) == 0 {
		p.ignored = "no branch was moved"
	}
	return p, nil
}

// readGeneric reads {"ref": "refs/heads/main"} or {"branch": "main"}; a body
// that names neither, or is empty, means every branch.
func readGeneric(body []byte) (push, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return push{any: true}, nil
	}
	m, err := decode[struct {
		Ref    string `json:"ref"`
		Branch string `json:"branch"`
	}](body)
	switch {
	case err != nil:
		return push{}, err
	case m.Branch != "":
		return push{branches: []string{m.Branch}}, nil
	case m.Ref != "" && !strings.Contains(m.Ref, "/"):
		return push{branches: []string{m.Ref}}, nil
	case m.Ref != "":
		return ofRef(m.Ref, false), nil
	}
	return push{any: true}, nil
}
