# tieline_add_connector(<name> <source>...)
#
# Builds <name>.so, a tieline connector: a module without a "lib" prefix that exports tieline_connector_v0 and nothing
# else, resolves every symbol at link time (-z defs) and binds them at load (-z now), as the host's loader demands.
# The kit (static helpers) and tieline.h are linked; add your own with target_link_libraries(<name> PRIVATE ...).
# The module is put into TIELINE_CONNECTOR_OUTPUT_DIR, by default <build directory>/connectors.
# Works inside this tree and after find_package(tieline).

set(TIELINE_CONNECTOR_MAP "${CMAKE_CURRENT_LIST_DIR}/tieline-connector.map")

function(tieline_add_connector name)
  if(NOT ARGN)
    message(FATAL_ERROR "tieline_add_connector(${name}): no sources given")
  endif()
  if(NOT TIELINE_CONNECTOR_OUTPUT_DIR)
    set(TIELINE_CONNECTOR_OUTPUT_DIR "${CMAKE_BINARY_DIR}/connectors")
  endif()
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE tieline::kit tieline::sdk)
  if(TARGET tieline_flags) # inside this tree: its warnings and sanitizers
    target_link_libraries(${name} PRIVATE tieline_flags)
  endif()
  target_compile_features(${name} PRIVATE c_std_11)
  set_target_properties(${name} PROPERTIES
    PREFIX ""
    C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden
    POSITION_INDEPENDENT_CODE ON
    LIBRARY_OUTPUT_DIRECTORY "${TIELINE_CONNECTOR_OUTPUT_DIR}"
    LINK_DEPENDS "${TIELINE_CONNECTOR_MAP}")
  target_link_options(${name} PRIVATE
    -Wl,-z,defs -Wl,-z,now -Wl,-z,relro "-Wl,--version-script=${TIELINE_CONNECTOR_MAP}")
endfunction()
