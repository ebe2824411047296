package catalog

import (
	"slices"
	"strings"
	"time"
)

// StateFile is what a {environment}.json holds that can be put on record again: written by a node, restored from a
// backup, or made by hand. What it says of health and of polls is not read.
type StateFile struct {
	Environment    string
	DeployedCommit string
	// Deployments are those of currentDeployment, lastSuccessfulDeployment and history, each id once, the newest first.
	Deployments []StateDeployment
}

// StateDeployment is one record of a state file. Times are zero where the file has none.
type StateDeployment struct {
	ID, Commit, Branch, Author, Message, State string
	InitiatedBy, ErrorMessage                  string
	StartedAt, CompletedAt                     time.Time
}

// DeploymentStates are the states that a record may have, as files spell them.
func DeploymentStates() []string {
	return []string{"Pending", "AwaitingApproval", "Applying", "Completed", "Failed", "RolledBack", "Superseded"}
}

// stateFileNames are the properties of a state file.
func stateFileNames() []string {
	return []string{
		"environment", "currentDeployment", "lastSuccessfulDeployment", "deployedCommit", "latestCommit",
		"health", "healthMessage", "syncStatus", "lastUpdated", "history",
	}
}

// ParseStateFile reads a state file and returns all problems at once. With an Error among them the file is not to be used.
func ParseStateFile(file File) (StateFile, []Problem) {
	var found problems
	p := stateFileParser{known: map[string]int{}}
	if doc, ok := load(file, &found); ok {
		p.file(doc.root())
	}
	slices.SortStableFunc(p.parsed.Deployments, func(a, b StateDeployment) int {
		if c := b.StartedAt.Compare(a.StartedAt); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	return p.parsed, found.sorted()
}

// stateFileParser is the state of one ParseStateFile.
type stateFileParser struct {
	parsed StateFile
	known  map[string]int // index in parsed.Deployments, by id
}

func (p *stateFileParser) file(root value) {
	root.require("environment")
	for name, v := range root.members() {
		switch string(name) {
		case "environment":
			if p.parsed.Environment = v.text(); p.parsed.Environment == "" && v.kind() == kindString {
				v.fail(CodeInvalid, "must name the environment")
			}
		case "deployedCommit":
			p.parsed.DeployedCommit = commitOf(v)
		}
	}
	for name, v := range root.members() {
		switch string(name) {
		case "currentDeployment", "lastSuccessfulDeployment":
			if v.kind() != kindNull {
				p.deployment(v)
			}
		case "history":
			if v.kind() == kindNull {
				continue
			}
			for d := range v.elements() {
				p.deployment(d)
			}
		default:
			if !slices.Contains(stateFileNames(), string(name)) {
				v.keep(nil, stateFileNames()...)
			}
		}
	}
}

// deployment adds a record; of one that is there twice the first counts.
func (p *stateFileParser) deployment(v value) {
	d := StateDeployment{}
	v.require("id", "commit", "state")
	for name, m := range v.members() {
		switch string(name) {
		case "id":
			d.ID = p.id(m)
		case "environment":
			if text := m.text(); text != "" && text != p.parsed.Environment {
				m.fail(CodeInvalid, "is %s, the file is of %s", shorten(text), shorten(p.parsed.Environment))
			}
		case "commit":
			d.Commit = deployedOf(m)
		case "state":
			d.State = stateOf(m)
		case "startedAt":
			d.StartedAt = momentOf(m)
		case "completedAt":
			d.CompletedAt = momentOf(m)
		default:
			if target := d.words()[string(name)]; target != nil && m.kind() != kindNull {
				*target = m.text()
			}
		}
	}
	if _, twice := p.known[d.ID]; d.ID == "" || twice {
		return
	}
	p.known[d.ID] = len(p.parsed.Deployments)
	p.parsed.Deployments = append(p.parsed.Deployments, d)
}

// words are the fields that are taken as they are.
func (d *StateDeployment) words() map[string]*string {
	return map[string]*string{
		"branch": &d.Branch, "author": &d.Author, "message": &d.Message,
		"initiatedBy": &d.InitiatedBy, "errorMessage": &d.ErrorMessage,
	}
}

func (p *stateFileParser) id(v value) string {
	text := v.text()
	if v.kind() == kindString && (!strings.HasPrefix(text, p.parsed.Environment+"-") || !plainID(text)) {
		v.fail(CodeInvalid, "%s is no deployment of %s: its id looks like %s-20251023-143022", shorten(text), shorten(p.parsed.Environment), p.parsed.Environment)
	}
	return text
}

// plainID reports whether an id can be a file's name.
func plainID(id string) bool {
	return id != "" && len(id) <= 128 && strings.IndexFunc(id, func(r rune) bool {
		return r > 0x7e || !(isLetter(byte(r)) || isDigit(byte(r)) || strings.ContainsRune("._-", r))
	}) < 0
}

// commitOf is the id of a commit, in full or its first digits; empty where there is none.
func commitOf(v value) string {
	if v.kind() == kindNull {
		return ""
	}
	written := v.text()
	if written == "" {
		return ""
	}
	text := strings.ToLower(written)
	hexadecimal := strings.Trim(text, "0123456789abcdef") == ""
	if len(text) < 7 || len(text) > 64 || !hexadecimal {
		v.fail(CodeInvalid, "%s is no commit: give 7 to 64 hexadecimal digits, as `git rev-parse HEAD` prints them", shorten(written))
		return ""
	}
	return text
}

// deployedOf is the commit of a deployment, which always has one.
func deployedOf(v value) string {
	if v.kind() == kindNull || v.kind() == kindString && v.text() == "" {
		v.fail(CodeInvalid, "names no commit: give the one that was deployed, as `git rev-parse` prints it")
		return ""
	}
	return commitOf(v)
}

func stateOf(v value) string {
	text := v.text()
	state := spelled(text, DeploymentStates())
	if state == "" && v.kind() == kindString {
		v.fail(CodeUnknownValue, "unknown state %s (known: %s)%s", shorten(text), strings.Join(DeploymentStates(), ", "), Suggest(text, DeploymentStates()))
	}
	return state
}

// momentOf is a time as RFC 3339 writes it; zero where there is none.
func momentOf(v value) time.Time {
	if v.kind() == kindNull {
		return time.Time{}
	}
	text := v.text()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil && v.kind() == kindString {
		v.fail(CodeInvalid, "%s is no time: write it like 2025-10-23T14:30:22Z", shorten(text))
	}
	return at
}
