// One line.
#pragma once
