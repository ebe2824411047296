package view

import (
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Name is an enum value as the state files spell it: DEPLOYMENT_STATE_AWAITING_APPROVAL is AwaitingApproval. A value
// that is not specified is empty.
func Name(value protoreflect.Enum) string {
	number := value.Number()
	descriptor := value.Descriptor().Values().ByNumber(number)
	if number == 0 || descriptor == nil {
		return ""
	}
	// The constants of an enum begin with its own name, which the zero value ends with UNSPECIFIED.
	zero := string(value.Descriptor().Values().ByNumber(0).Name())
	text := strings.TrimPrefix(string(descriptor.Name()), strings.TrimSuffix(zero, "UNSPECIFIED"))
	var name strings.Builder
	for word := range strings.SplitSeq(text, "_") {
		name.WriteString(word[:1] + strings.ToLower(word[1:]))
	}
	return name.String()
}

// State is the state that Name spells so; unspecified if there is none.
func State(name string) pb.DeploymentState {
	for number := range pb.DeploymentState_name {
		if state := pb.DeploymentState(number); number != 0 && Name(state) == name {
			return state
		}
	}
	return pb.DeploymentState_DEPLOYMENT_STATE_UNSPECIFIED
}

// orUnknown is Name, with Unknown for what is not specified.
func orUnknown(value protoreflect.Enum) string {
	if name := Name(value); name != "" {
		return name
	}
	return "Unknown"
}

// Time is a moment in JSON: RFC 3339 in UTC with milliseconds, null if there is none.
type Time struct{ time.Time }

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) {
	return []byte(t.UTC().Format("2006-01-02T15:04:05.000Z")), nil
}

// MarshalJSON writes what MarshalText does; it hides the method of the embedded type.
func (t Time) MarshalJSON() ([]byte, error) {
	text, err := t.MarshalText()
	return []byte(`"` + string(text) + `"`), err
}

func moment(stamp *timestamppb.Timestamp) *Time {
	if stamp == nil {
		return nil
	}
	return &Time{stamp.AsTime().UTC()}
}

// each converts a list; the result is never nil.
func each[From, To any](list []From, convert func(From) To) []To {
	converted := make([]To, 0, len(list))
	for _, item := range list {
		converted = append(converted, convert(item))
	}
	return converted
}

func texts(list []string) []string { return append([]string{}, list...) }

// Short is a commit or digest cut to seven characters.
func Short(commit string) string { return commit[:min(7, len(commit))] }

// FirstLine is a text's first line.
func FirstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(line)
}
