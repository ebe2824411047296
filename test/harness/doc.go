// Package harness runs whole clusters for tests: real processes of the program, real Git repositories, real files, on
// loopback ports that no other test uses. It ends what it started, and nothing else.
//
// A test package begins with
//
//	func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
//
// which builds the program once.
package harness
