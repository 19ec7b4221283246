package hmp

// Fields is a set of fields of a session object.
type Fields uint8

// The fields that are looked for.
const (
	authTokenField Fields = 1 << iota
	adminField
	rolesField
	loginFailuresField
	lastActionField
	lastLoginField
	messagesField
)

// fieldNames has the names, in the order of the bits.
var fieldNames = []string{"authToken", "admin", "roleIds", "numLoginFailures", "lastAction", "lastLoginDate", "serviceMessages"}

// fieldNamed returns the field of a name, and none for one that is not looked for.
func fieldNamed(name []byte) Fields {
	for i, n := range fieldNames {
		if string(name) == n {
			return 1 << i
		}
	}
	return 0
}

// Names returns the names of the fields.
func (f Fields) Names() []string {
	var names []string
	for i, name := range fieldNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// note notes how the last value of a field was taken.
func (b *Body) note(f Fields, used, null bool) {
	b.Used, b.Null, b.Odd = b.Used&^f, b.Null&^f, b.Odd&^f
	switch {
	case used:
		b.Used |= f
	case null:
		b.Null |= f
	default:
		b.Odd |= f
	}
}
