// Days of the Gregorian calendar.
#pragma once

#include <ostream>
#include <stdexcept>
#include <string>

namespace calendar {

inline bool is_leap(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

inline int days_in(int year, int month) {
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12) throw std::out_of_range("no month: " + std::to_string(month));
  return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

struct Day {
  int year = 1970;
  int month = 1;
  int day = 1;

  bool operator==(const Day& other) const {
    return year == other.year && month == other.month && day == other.day;
  }
};

inline std::ostream& operator<<(std::ostream& out, const Day& day) {
  return out << day.year << '-' << day.month << '-' << day.day;
}

inline Day checked(int year, int month, int day) {
  if (day < 1 || day > days_in(year, month))
    throw std::out_of_range("no day: " + std::to_string(day));
  return {year, month, day};
}

// Days since 1970-01-01 (Howard Hinnant's algorithm "days_from_civil").
inline long number_of(const Day& day) {
  const long year = day.year - (day.month <= 2 ? 1 : 0);
  const long era = (year >= 0 ? year : year - 399) / 400;
  const long year_of_era = year - era * 400;
  const long day_of_year = (153L * (day.month + (day.month > 2 ? -3 : 9)) + 2) / 5 + day.day - 1;
  const long day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

// 0 is Sunday.
inline int weekday(const Day& day) {
  const long number = number_of(day) + 4;
  return static_cast<int>((number % 7 + 7) % 7);
}

inline Day next(Day day) {
  if (++day.day <= days_in(day.year, day.month)) return day;
  day.day = 1;
  if (++day.month <= 12) return day;
  return {day.year + 1, 1, 1};
}

}  // namespace calendar
