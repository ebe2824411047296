// Package clock is the wall clock for what is shown to others and compared with others: in a build with the tag chaos
// a test can set it wrong.
package clock
