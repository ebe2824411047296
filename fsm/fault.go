package fsm

import (
	"slices"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

const (
	// faultMemory is for how long, in milliseconds, the end of a fault is remembered: what comes back
	// within that time is the same fault, so that a repository that comes and goes does not fill the audit.
	faultMemory = 60 * 60 * 1000
	// maxFaults bounds what an environment remembers; there are fewer codes than that.
	maxFaults = 32
)

// Fault is something that keeps an environment's repository from being read.
type Fault struct {
	// Code is as in Environment.PollErrorCode.
	Code string
	// Since is when it was put on record; Over is when a poll no longer found it, 0 while it lasts.
	Since int64
	Over  int64
}

// UnrecordedFault returns the code of what the newest poll met and the audit does not say yet; "" if there is nothing.
func (e *Environment) UnrecordedFault() string {
	for _, f := range e.Faults {
		if f.Code == e.PollErrorCode && f.Over == 0 {
			return ""
		}
	}
	return e.PollErrorCode
}

// recordFault puts a fault of one environment, or of all environments of a branch, on record: once for as long as it
// lasts, whoever leads and however often it is met.
func (c *change) recordFault(command *pb.RecordFault) (Result, error) {
	code := command.GetCode()
	if code == "" {
		return Result{}, refuse(ClassInvalid, "bad_fault", "a fault needs a code")
	}
	affected, err := c.affected(command)
	if err != nil {
		return Result{}, err
	}
	changed, news := false, false
	for _, env := range affected {
		altered, first := c.noteFault(env, code)
		if altered {
			c.touch(env)
		}
		changed, news = changed || altered, news || first
	}
	if !changed {
		return Result{}, refuse(ClassExists, "recorded", "the fault %s is on record", code)
	}
	if news {
		object := command.GetEnvironment()
		if object == "" {
			object = "branch " + command.GetBranch()
		}
		c.audit("fault."+code, command.GetEnvironment(), object, code, command.GetDetail())
	}
	return Result{Environment: command.GetEnvironment()}, nil
}

// affected are the environments that a fault is about.
func (c *change) affected(command *pb.RecordFault) ([]*Environment, error) {
	if name := command.GetEnvironment(); name != "" {
		env, err := c.environment(name)
		return []*Environment{env}, err
	}
	var found []*Environment
	for _, es := range c.meta.Settings.Environments {
		if es.Branch != command.GetBranch() {
			continue
		}
		env, err := c.environment(es.Name)
		if err != nil {
			return nil, err
		}
		found = append(found, env)
	}
	if len(found) == 0 {
		return nil, refuse(ClassNotFound, "unknown_branch", "no environment watches branch %q", command.GetBranch())
	}
	return found, nil
}

// noteFault remembers a fault of an environment. news is set unless it lasts, or was over for a short time only.
func (c *change) noteFault(env *Environment, code string) (changed, news bool) {
	faults := slices.DeleteFunc(slices.Clone(env.Faults), func(f Fault) bool {
		return f.Over > 0 && c.now()-f.Over > faultMemory
	})
	defer func() { env.Faults = faults }()
	for i, f := range faults {
		if f.Code == code {
			faults[i].Over = 0
			return f.Over > 0, false
		}
	}
	faults = append(faults, Fault{Code: code, Since: c.now()})
	if len(faults) > maxFaults {
		faults = slices.Delete(faults, 0, 1)
	}
	return true, true
}

// endFaults notes which faults the newest poll did not find any more.
func (c *change) endFaults(env *Environment) {
	over := func(f Fault) bool { return f.Over == 0 && f.Code != env.PollErrorCode }
	if !slices.ContainsFunc(env.Faults, over) {
		return
	}
	env.Faults = slices.Clone(env.Faults)
	for i, f := range env.Faults {
		if over(f) {
			env.Faults[i].Over = max(c.now(), 1)
		}
	}
}
