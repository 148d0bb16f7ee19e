package synth

// Odd is the settings of odd models, for the tests that import them.
var Odd = odd
