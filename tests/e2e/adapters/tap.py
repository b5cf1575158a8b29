"""Checks that are reported in the Test Anything Protocol."""


class Checks:
    def __init__(self):
        self.m_count = 0
        self.m_failed = 0

    def check(self, name, passed, why=""):
        self.m_count += 1
        self.m_failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.m_count} - {name.replace('#', '(no.)')}", flush=True)
        if not passed:
            for line in str(why).splitlines():
                print(f"# {line}")
        return passed

    def equal(self, name, is_, should_be):
        return self.check(name, is_ == should_be, f"is {is_!r}\nshould be {should_be!r}")

    def fail(self, name, why):
        self.check(name, False, why)

    def done(self):
        print(f"1..{self.m_count}")
        return 1 if self.m_failed else 0
