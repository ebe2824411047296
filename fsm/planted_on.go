//go:build chaos

package fsm

// The defects that this build can show, to see that the checks find them.
var (
	plantCountTwice     bool
	plantIgnoreSequence bool
	plantForgetHold     bool
	plantForgetRequest  bool
	plantReuseIndex     bool
)

// Plant has the state machine show a defect from now on; it reports whether it has one of that name.
func Plant(name string) bool {
	defect := map[string]*bool{
		"count an approval twice": &plantCountTwice, "ignore the expected sequence": &plantIgnoreSequence, "forget the hold": &plantForgetHold,
		"forget the request id": &plantForgetRequest, "reuse an activation index": &plantReuseIndex,
	}[name]
	if defect != nil {
		*defect = true
	}
	return defect != nil
}
