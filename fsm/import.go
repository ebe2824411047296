package fsm

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

const (
	// importedOrdinals is how many ordinals lie before those that a cluster gives
	// out: imported records are older than everything that it did itself.
	importedOrdinals = 1 << 20
	// maxImport is how many records one command may bring, maxImportText how many
	// bytes each of their texts may have.
	maxImport     = 500
	maxImportText = 4096
)

var (
	importedID     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	importedCommit = regexp.MustCompile(`^[0-9a-f]{7,64}$`)
)

// Importer is who initiated an imported record, as far as the cluster knows;
// whom the file names is a line of its history.
const Importer = "import"

// importHistory puts what happened before this cluster on record. It is a
// history and nothing else: an imported record has no content, no approvals and
// no activation, is never retried and never rolled back to, and holds nothing.
// What is known by its id stays as it is, so that importing twice is harmless.
func (c *change) importHistory(command *pb.ImportHistory) (Result, error) {
	env, err := c.environment(command.GetEnvironment())
	if err != nil {
		return Result{}, err
	}
	if len(command.GetDeployments()) > maxImport {
		return Result{}, refuse(ClassInvalid, "too_many", "%d records: at most %d can be imported at once", len(command.GetDeployments()), maxImport)
	}
	for i, given := range command.GetDeployments() {
		if err := checkImported(env.Name, given); err != nil {
			return Result{}, refuse(ClassInvalid, "bad_record", "deployments[%d].%v", i, err)
		}
	}
	imported := c.seed(env, command)
	c.audit("environment.import", env.Name, env.Name, "", "source="+strconv.Quote(command.GetSource())+
		" sha256="+command.GetSourceDigest()+" deployed_commit="+command.GetDeployedCommit()+
		" records="+strconv.Itoa(imported))
	c.retain(env)
	c.touch(env)
	r := result(env, "")
	r.Value = uint64(imported)
	return r, nil
}

// seed adds the records that are new, as far as there is room for them before
// what the environment has already, and returns their number.
func (c *change) seed(env *Environment, command *pb.ImportHistory) int {
	oldest, have := uint64(importedOrdinals)+1, 0
	for d := range c.byAge.now().all(env.Name + "\x00") {
		oldest = min(oldest, d.Ordinal)
		have++
	}
	room := min(c.meta.Settings.historyLimit()-have, int(oldest)-1)
	added := 0
	for _, given := range command.GetDeployments() {
		if added >= room {
			break
		}
		if c.deployments.get(given.GetId()) != nil {
			continue
		}
		added++
		d := c.imported(env, given, command.GetSource())
		d.Ordinal = oldest - uint64(added)
		c.putDeployment(d)
		c.audit("deployment.imported", env.Name, d.ID, d.State.String(), "commit="+d.Commit)
	}
	return added
}

// imported makes the record. What had not ended when the file was written has
// failed: nothing of it can go on here.
func (c *change) imported(env *Environment, m *pb.ImportedDeployment, source string) *Deployment {
	state, problem := DeploymentState(m.GetState()), m.GetError()
	message := "imported by " + c.actor() + " from " + source + "; initiated by " + orText(m.GetInitiatedBy(), "nobody that it names")
	if !state.Terminal() {
		problem = "it was " + state.String() + " when it was imported"
		state = Failed
	}
	started := clampTime(m.GetStartedMs(), c.now())
	ended := max(clampTime(m.GetCompletedMs(), c.now()), started)
	d := &Deployment{
		ID: m.GetId(), Environment: env.Name, Commit: m.GetCommit(), Branch: m.GetBranch(),
		Author: m.GetAuthor(), Message: m.GetMessage(), State: state, Health: healthOf(state), InitiatedBy: Importer,
		Created: started, Started: started, Updated: ended, CompletedAt: ended, Imported: true,
		History: []Transition{{To: state, At: ended, Message: message}},
	}
	if state == Failed || state == RolledBack {
		d.Error, d.ReasonCode = problem, "imported"
	}
	return d
}

// clampTime keeps a time between never and now, Unix milliseconds.
func clampTime(ms, now int64) int64 { return min(max(ms, 0), now) }

// checkImported says what is wrong with a record, beginning with its field.
func checkImported(environment string, m *pb.ImportedDeployment) error {
	switch {
	case !importedID.MatchString(m.GetId()) || !strings.HasPrefix(m.GetId(), environment+"-"):
		return fmt.Errorf("id: %q is no id of environment %q: it looks like %s-20251023-143022", m.GetId(), environment, environment)
	case !importedCommit.MatchString(m.GetCommit()):
		return fmt.Errorf("commit: %q is no commit: 7 to 64 lower-case hexadecimal digits", m.GetCommit())
	case m.GetState() == uint32(StateNone) || m.GetState() > uint32(Superseded):
		return fmt.Errorf("state: %d is no state", m.GetState())
	}
	texts := []string{m.GetBranch(), m.GetAuthor(), m.GetMessage(), m.GetInitiatedBy(), m.GetError()}
	if i := slices.IndexFunc(texts, func(s string) bool { return len(s) > maxImportText }); i >= 0 {
		return fmt.Errorf("%s: has %d bytes, at most %d are kept", [...]string{"branch", "author", "message", "initiatedBy", "errorMessage"}[i], len(texts[i]), maxImportText)
	}
	return nil
}
